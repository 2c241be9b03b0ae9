import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixedPort } from '../support/fixed-port.ts';
import { http } from '../support/http.ts';
import { findProgram } from '../support/programs.ts';
import { cleanEnvironment } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** HAProxy before several nodes: each request goes to the next of those that are ready. */
export interface Balancer extends AsyncDisposable {
  /** http://127.0.0.1:PORT */
  readonly url: string;
}

const READY_SECONDS = 30;

/** Why there can be none here; undefined when there can. In CI there must be one: throws with the reason. */
export function whyNoBalancer(): string | undefined {
  if (findProgram('haproxy') !== undefined) return undefined;
  const reason = 'haproxy not found; on Debian: apt-get install haproxy';
  if (process.env.CI === 'true') throw new Error(reason);
  return reason;
}

/** @param ports of the nodes on loopback; they may come later. Resolves when one of them is reached. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await temporaryFolder('gantry-balancer-'));
  const port = await fixedPort();
  const file = join(folder.path, 'haproxy.cfg');
  await writeFile(file, configuration(port, ports));
  const program = findProgram('haproxy') ?? 'haproxy';
  const child = spawn(program, ['-db', '-f', file], { env: cleanEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] });
  let printed = '';
  child.stderr.on('data', (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-20_000);
  });
  starting.defer(() => end(child));
  const url = `http://127.0.0.1:${port}`;
  for (const until = Date.now() + READY_SECONDS * 1000; ; await sleep(50)) {
    const answer = await http(`${url}/readyz`).catch(() => undefined);
    if (answer?.status === 200) break;
    if (child.exitCode !== null || Date.now() > until) throw new Error(`HAProxy reaches no node:\n${printed}`);
  }
  const running = starting.move();
  return { url, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** What deploy/haproxy/haproxy.cfg says, looking more often: no stickiness, and only what no node has seen is sent again. */
function configuration(port: number, nodes: readonly number[]): string {
  const lines = [
    'global',
    '  maxconn 2000',
    'defaults',
    '  mode http',
    '  timeout connect 2s',
    '  timeout client 2m',
    '  timeout server 2m',
    '  timeout check 3s',
    '  retries 3',
    '  retry-on conn-failure',
    '  option redispatch 1',
    'frontend registry',
    `  bind 127.0.0.1:${port}`,
    '  default_backend nodes',
    'backend nodes',
    '  balance roundrobin',
    '  option httpchk GET /readyz',
    '  default-server check inter 500ms fall 2 rise 1',
    ...nodes.map((node, at) => `  server node${at + 1} 127.0.0.1:${node}`),
  ];
  return `${lines.join('\n')}\n`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
