import { describe, it } from 'node:test';
import { onCluster } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { assertStatus } from './oci-answers.ts';
import { backTo, noDescriptors, restingDescriptors } from './process-descriptors.ts';
import { rawConnection } from './raw-exchange.ts';

const bodyBytes = 100_000;
const clients = 10;
/** Each takes a bucket several requests. */
const uploads = onCluster ? 200 : 1000;

describe('many uploads whose clients go away', { skip: noDescriptors, timeout: 120_000 }, () => {
  it('leave no descriptor behind, and can be taken up again', async () => {
    await using server = await startServer();
    // What a process opens once and keeps, it has opened after these.
    await abort(server, 50);
    const before = await restingDescriptors(server.pid);
    const paths = await abort(server, uploads);
    await backTo(server.pid, before);
    for (const path of paths.slice(-5)) await finish(server, path);
  });
});

/** Begins so many uploads and ends each connection somewhere in the body, in every way a client may. */
async function abort(server: RunningServer, count: number): Promise<string[]> {
  const paths: string[] = [];
  const one = async (n: number) => {
    const started = await http(`${server.url}/v2/abort/ed/blobs/uploads/`, { method: 'POST' });
    assertStatus(started, 202);
    const path = String(started.headers.location);
    paths.push(path);
    const socket = await rawConnection(server.url);
    socket.resume();
    const sent = Buffer.alloc([0, 1, 1000, 70_000][n % 4] ?? 0);
    socket.write(`PATCH ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bodyBytes}\r\n\r\n`);
    await new Promise((resolve) => socket.write(sent, resolve));
    if (n % 3 === 0) socket.resetAndDestroy();
    else if (n % 3 === 1) socket.destroy();
    else socket.end();
  };
  const worker = async (first: number) => {
    for (let n = first; n < count; n += clients) await one(n);
  };
  await Promise.all(Array.from({ length: clients }, (_, first) => worker(first)));
  return paths;
}

async function finish(server: RunningServer, path: string): Promise<void> {
  const progress = await http(`${server.url}${path}`);
  assertStatus(progress, 204);
  const body = Buffer.alloc(10);
  const answer = await http(`${server.url}${path}`, { method: 'PATCH', body });
  assertStatus(answer, 202);
}
