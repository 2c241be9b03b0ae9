import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './programs.ts';
import { checkout, cleanEnvironment } from './server.ts';
import { temporaryFolder } from './temporary-folder.ts';

export type BalancerKind = 'haproxy' | 'nginx';

/** A balancer with the configuration that deploy/ has for it, but for its addresses. */
export interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** 127.0.0.1:PORT, as image references want it */
  readonly host: string;
}

const FILES = { haproxy: 'deploy/haproxy/haproxy.cfg', nginx: 'deploy/nginx/nginx.conf' } as const;
const READY_TRIES = 200;

/** The configuration of deploy/ for a port of this machine and for nodes on others. */
export function configurationOf(kind: BalancerKind, port: number, nodes: readonly number[], folder: string): string {
  const text = readFileSync(join(checkout, FILES[kind]), 'utf8');
  const placed = text
    .replaceAll(/\bnode([123]):4510\b/g, (_, number) => `127.0.0.1:${nodes[Number(number) - 1]}`)
    .replace(/^( *bind ):4510$/m, `$1127.0.0.1:${port}`)
    .replace(/^( *listen )4510;$/m, `$1127.0.0.1:${port};`)
    .replace('/run/nginx.pid', join(folder, 'pid'));
  // Where Debian's nginx keeps what it gathers belongs to root.
  const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return placed.replace(/^http \{$/m, `http {\n${kept.join('\n')}`);
}

/** The words that run it with a configuration. */
export function commandOf(kind: BalancerKind, file: string, checkOnly = false): string[] {
  const program = findProgram(kind) ?? kind;
  if (kind === 'haproxy') return [program, ...(checkOnly ? ['-c'] : ['-db']), '-f', file];
  return [program, '-e', 'stderr', '-c', file, ...(checkOnly ? ['-t'] : ['-g', 'daemon off;'])];
}

/** Starts it before three nodes, which may start after it. */
export async function startBalancer(kind: BalancerKind, port: number, nodes: readonly number[]): Promise<Balancer> {
  const folder = await temporaryFolder('gantry-balancer-');
  const file = join(folder.path, 'configuration');
  writeFileSync(file, configurationOf(kind, port, nodes, folder.path));
  const [program, ...words] = commandOf(kind, file);
  const child = spawn(program!, words, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk).slice(-10_000);
    });
  }
  const ended = once(child, 'exit');
  const host = `127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    await folder[Symbol.asyncDispose]();
  };
  for (let left = READY_TRIES; ; left--) {
    if (await listens(`http://${host}`)) return { url: `http://${host}`, host, [Symbol.asyncDispose]: stop };
    if (left === 0 || child.exitCode !== null) {
      await stop();
      throw new Error(`${kind} does not start:\n${said}`);
    }
    await sleep(50);
  }
}

async function listens(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer !== undefined;
}

/** A port that was free a moment ago: a balancer and its nodes must know each other's before they start. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
