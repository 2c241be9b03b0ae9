import { once } from 'node:events';
import { createServer } from 'node:net';

/** Outgoing connections take ports from 32768 on: what lies below is there again when a server comes back to it. */
const FIRST = 20_000;
const BEYOND = 32_000;

/** A free port for a server that will be ended and started again on it, however many connections are made meanwhile. */
export async function fixedPort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (BEYOND - FIRST));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

const given = new Set<number>();

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
