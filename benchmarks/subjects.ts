import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkout, cleanEnvironment, pinnedNode } from '../test/support/server.ts';

/** `enforced` is Gantry that asks who is there; `gantry` admits everybody. */
export type SubjectName = 'gantry' | 'enforced' | 'peer';

export interface Subject extends AsyncDisposable {
  readonly name: SubjectName;
  readonly port: number;
  readonly pid: number;
  /** The data folder. */
  readonly folder: string;
  /** From the start of the process to its first answer. */
  readonly startMs: number;
}

const answerSeconds = 60;
const endSeconds = 30;
const sid = join(checkout, '.cache', 'sid');

/** Starts a server over a data folder and waits for its first answer to GET /v2/. */
export async function startSubject(name: SubjectName, folder: string): Promise<Subject> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const [file, ...words] = name === 'peer' ? peerCommand(port, folder) : gantryCommand(name, port, folder);
  const start = performance.now();
  const child = spawn(file!, words, { env: cleanEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] });
  let printed = '';
  child.stderr.on('data', (chunk) => {
    printed = (printed + chunk).slice(-20_000);
  });
  try {
    await firstAnswer(child, port);
  } catch (error) {
    await end(child);
    throw new Error(`${name} does not start: ${error}\n${printed}`);
  }
  const startMs = performance.now() - start;
  return { name, port, pid: child.pid!, folder, startMs, [Symbol.asyncDispose]: () => end(child) };
}

/**
 * The peer's program: the one named, else Debian sid's, unpacked on first use. Debian 12's own is built with an old Go whose
 * SHA-256 is three times slower.
 *
 * @returns undefined when it cannot be had
 */
export function findPeer(): string | undefined {
  if (!existsSync(peerProgram())) {
    spawnSync(join(checkout, 'tools', 'debian-sid.sh'), [sid, 'docker-registry'], { stdio: 'inherit' });
  }
  return existsSync(peerProgram()) ? peerProgram() : undefined;
}

function peerProgram(): string {
  return process.env.BENCH_PEER ?? join(sid, 'usr', 'bin', 'docker-registry');
}

function gantryCommand(name: 'gantry' | 'enforced', port: number, folder: string): string[] {
  const auth = name === 'enforced' ? 'enforced' : 'open';
  const program = join(checkout, 'bin', 'gantry.js');
  return [pinnedNode, program, 'serve', '--port', String(port), '--data', folder, '--auth', auth];
}

function peerCommand(port: number, folder: string): string[] {
  const config = join(folder, 'config.yml');
  const lines = [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    `storage: { filesystem: { rootdirectory: ${join(folder, 'registry')} }, delete: { enabled: true } }`,
    `http: { addr: "127.0.0.1:${port}" }`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  return [peerProgram(), 'serve', config];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function firstAnswer(child: ChildProcess, port: number): Promise<void> {
  const end = performance.now() + answerSeconds * 1000;
  while (performance.now() < end) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the process ended');
    try {
      await (await fetch(`http://127.0.0.1:${port}/v2/`)).arrayBuffer();
      return;
    } catch {
      await sleep(1);
    }
  }
  throw new Error(`no answer within ${answerSeconds} s`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), endSeconds * 1000);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}
