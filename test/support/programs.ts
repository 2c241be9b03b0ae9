import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { placeOfCommand } from './cluster-mode.ts';
import { checkout, cleanEnvironment } from './server.ts';

const runSeconds = 120;
/** Where tools/debian-sid.sh, tools/helm.sh and tools/trivy.sh put what the host does not have. */
const fetched = [
  join(checkout, '.cache', 'sid', 'usr', 'bin'),
  join(checkout, '.cache', 'helm'),
  join(checkout, '.cache', 'trivy'),
];

/** Full path of a program of the host or of a fetched one. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', ...fetched];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  readonly input?: string | undefined;
  readonly seconds?: number | undefined;
}

/**
 * Runs a program to its end and resolves whatever its exit code; 128 + 9 when it took longer than its time. A command of
 * Gantry's on a data folder finds facts and bytes where the server on it has them.
 */
export async function runAny(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env, cwd, input = '', seconds = runSeconds } = options;
  const [file = '', ...args] = words;
  const child = spawn(file, args, {
    cwd,
    env: { ...cleanEnvironment(), ...(await placeOfCommand(words)), ...env },
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.once('error', reject);
  child.once('close', (code) => resolve(code ?? 128 + 9));
  // A program that does not read its input closes it; that is its own affair.
  child.stdin.on('error', () => {}).end(input);
  return { code: await promise, stdout, stderr };
}

/** @returns what it printed to its standard output; @throws Error with both streams when its exit code is not 0 */
export async function run(words: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await runAny(words, options);
  if (code !== 0) throw new Error(`${words.join(' ')}\nexit code ${code}\n${stderr}\n${stdout}`);
  return stdout;
}
