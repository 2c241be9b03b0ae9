import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { placeOf } from './cluster-mode.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

/** The root of the checkout: tests start what a user of it would start. */
export const checkout = join(import.meta.dirname, '..', '..');

/** The Node that the checkout pins, whatever Node the host has. */
export const pinnedNode = join(checkout, 'node_modules', '.bin', 'node');

const readySeconds = 30;
const stopSeconds = 30;
const outputCharactersMax = 1024 * 1024;

export interface RunningServer extends AsyncDisposable {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  /** 127.0.0.1:PORT, as image references want it */
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** The data folder. */
  readonly data: string;
  /** Everything printed so far, both streams. */
  output(): string;
  /** SIGTERM; resolves with the exit code, 128 + signal number when a signal ended the process. */
  stop(): Promise<number>;
  /** SIGKILL; resolves when the process is gone. The data folder stays until disposal. */
  kill(): Promise<void>;
}

const testedProgram = process.env.TESTED_PROGRAM ?? join(checkout, 'bin', 'gantry.js');

export interface ServerOptions {
  /** Added to `gantry serve --port 0 --data DATA`. */
  readonly args?: readonly string[] | undefined;
  /** Added to the environment, from which GANTRY_* and AWS_* of the caller are taken out first. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Data folder; it stays after disposal. A temporary folder, removed at disposal, when left out. */
  readonly data?: string | undefined;
  /** The gantry.js to run; the checkout's when left out, or that of a package which TESTED_PROGRAM names. */
  readonly program?: string | undefined;
  /** Words put before the command, such as a tracer and its options. */
  readonly prefix?: readonly string[] | undefined;
}

/**
 * Starts `gantry serve` as a process of its own, on a free port, and resolves when it has said where it listens. In cluster
 * mode its facts and bytes are not in the data folder.
 * Disposal ends the process (SIGTERM, then SIGKILL) and removes a data folder that was made here.
 *
 * @throws Error with everything the process printed, when it ends or stays silent instead
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const own = options.data === undefined ? await temporaryFolder() : undefined;
  const data = options.data ?? own?.path ?? '';
  const program = options.program ?? testedProgram;
  const command = [...(options.prefix ?? []), pinnedNode, program, 'serve'];
  const [file, ...words] = [...command, '--port', '0', '--data', data, ...(options.args ?? [])];
  const child = spawn(file ?? pinnedNode, words, {
    cwd: checkout,
    env: { ...cleanEnvironment(), ...(await placeOf(data)), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const { output, port } = await ready(child);
    return runningServer(child, { data, own, output, port });
  } catch (error) {
    await endProcess(child, 'SIGKILL');
    await own?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** The caller's environment without what would configure the server or the clients under test. */
export function cleanEnvironment(): Record<string, string | undefined> {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(GANTRY_|AWS_|NODE_OPTIONS$|NODE_TEST_CONTEXT$)/.test(name) && !/^(https?|no)_proxy$/i.test(name),
  );
  return Object.fromEntries(entries);
}

type ServerProcess = ChildProcessByStdio<null, Readable, Readable>;

async function ready(child: ServerProcess): Promise<{ output: () => string; port: number }> {
  let printed = '';
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const take = (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-outputCharactersMax);
    // The character after the digits shows that the number is whole: output arrives in arbitrary pieces.
    const port = /https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):(\d+)[^\d]/.exec(printed)?.[1];
    if (port !== undefined) resolve(Number(port));
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  child.once('error', reject);
  // 'close' and not 'exit': by then all that the process printed has been read.
  child.once('close', (code, signal) => {
    reject(new Error(`gantry serve ended (${signal ?? `exit code ${code}`}) before it was ready:\n${printed}`));
  });
  const timer = setTimeout(() => {
    reject(new Error(`gantry serve named no address within ${readySeconds} s:\n${printed}`));
  }, readySeconds * 1000);
  try {
    return { port: await promise, output: () => printed };
  } finally {
    clearTimeout(timer);
  }
}

interface Parts {
  readonly data: string;
  readonly own: TemporaryFolder | undefined;
  readonly output: () => string;
  readonly port: number;
}

function runningServer(child: ServerProcess, parts: Parts): RunningServer {
  const host = `127.0.0.1:${parts.port}`;
  return {
    url: `http://${host}`,
    host,
    port: parts.port,
    pid: child.pid ?? 0,
    data: parts.data,
    output: parts.output,
    stop: () => endProcess(child, 'SIGTERM'),
    async kill() {
      await endProcess(child, 'SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      await endProcess(child, 'SIGTERM');
      await parts.own?.[Symbol.asyncDispose]();
    },
  };
}

/** Sends the signal and waits for the end; SIGKILL follows when the process does not end in its time. */
async function endProcess(child: ServerProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
  if (child.pid === undefined) return -1;
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'close');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopSeconds * 1000);
    child.kill(signal);
    await ended;
    clearTimeout(timer);
  }
  return child.exitCode ?? 128 + (child.signalCode === 'SIGTERM' ? 15 : 9);
}
