import { writeFileSync } from 'node:fs';
import { after, before, describe } from 'node:test';
import { findProgram, type Ran, type RunOptions, run, runAny } from './programs.ts';
import { type RunningServer, startServer } from './server.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

export interface ClientOptions {
  /** All that must be there. */
  readonly programs: readonly string[];
  /** With CI=true a missing program is a failure, not a skip. */
  readonly mustBeInCi?: boolean;
  readonly needsRoot?: boolean;
  /** Whether its server enforces access; open unless given. */
  readonly isEnforced?: boolean;
  /** Says why it cannot run here for a reason of its own. */
  readonly unless?: () => Promise<string | undefined>;
}

/** What the tests of one client share: a real server, an empty home, the programs. */
export interface Client {
  readonly server: RunningServer;
  /** An empty folder, which also is HOME. */
  readonly home: string;
  /** A program by its full path. */
  program(name: string): string;
  /** Runs `words[0]`, a program's name, with an environment that knows nothing of the caller's. */
  run(words: readonly string[], options?: RunOptions): Promise<string>;
  runAny(words: readonly string[], options?: RunOptions): Promise<Ran>;
}

const inCi = process.env.CI === 'true';

/**
 * A suite for a real client. A client that is not there is a skip with its reason, or in CI a failure where it must be there.
 *
 * @param define declares the tests; `client` may be used inside them, not while declaring
 */
export async function describeClient(
  name: string,
  options: ClientOptions,
  define: (client: Client) => void,
): Promise<void> {
  const missing = await whyNot(options);
  if (missing !== undefined && inCi && options.mustBeInCi) throw new Error(`${name}: ${missing}`);
  describe(name, { skip: missing ?? false }, () => {
    let server: RunningServer | undefined;
    let folder: TemporaryFolder | undefined;
    before(async () => {
      server = await startServer({ args: options.isEnforced ? ['--auth', 'enforced'] : [] });
      folder = await temporaryFolder('gantry-client-');
      // Some clients insist that the file they are pointed at exists.
      writeFileSync(`${folder.path}/auth.json`, '{}');
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await folder?.[Symbol.asyncDispose]();
    });
    define({
      get server() {
        return started(server);
      },
      get home() {
        return started(folder).path;
      },
      program,
      run: (words, runOptions) => run(withPath(words), isolated(started(folder).path, runOptions)),
      runAny: (words, runOptions) => runAny(withPath(words), isolated(started(folder).path, runOptions)),
    });
  });
}

async function whyNot({ programs, needsRoot, unless }: ClientOptions): Promise<string | undefined> {
  const missing = programs.filter((name) => findProgram(name) === undefined);
  if (missing.length > 0) return `${missing.join(', ')} cannot be found`;
  if (needsRoot && process.getuid?.() !== 0) return 'needs root';
  return unless?.();
}

function program(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} cannot be found`);
  return path;
}

function withPath([name = '', ...rest]: readonly string[]): string[] {
  return [name.includes('/') ? name : program(name), ...rest];
}

function isolated(home: string, options: RunOptions = {}): RunOptions {
  const env = {
    HOME: home,
    DOCKER_CONFIG: `${home}/.docker`,
    XDG_RUNTIME_DIR: home,
    REGISTRY_AUTH_FILE: `${home}/auth.json`,
  };
  return { cwd: home, ...options, env: { ...env, ...options.env } };
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the server starts with the first test');
  return value;
}
