import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { blobOf, pushBlob } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { assertStatus } from './oci-answers.ts';
import { backTo, noDescriptors, restingDescriptors } from './process-descriptors.ts';
import { rawConnection } from './raw-exchange.ts';

const clients = 10;

describe('downloads whose clients go away', { skip: noDescriptors, timeout: 120_000 }, () => {
  it('leave no descriptor behind', async () => {
    await using server = await startServer();
    const blob = blobOf(randomBytes(30_000_000));
    assertStatus(await pushBlob(server.url, 'abort/ed', blob), 201);
    await abort(server, blob.digest, 20);
    const before = await restingDescriptors(server.pid);
    await abort(server, blob.digest, 300);
    await backTo(server.pid, before);
  });
});

/** Asks for the blob so many times, takes the beginning of it, and leaves; every third client has asked for more ahead. */
async function abort(server: RunningServer, digest: string, count: number): Promise<void> {
  const one = async (n: number) => {
    const socket = await rawConnection(server.url);
    const get = `GET /v2/abort/ed/blobs/${digest} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    socket.write(n % 3 === 0 ? get.repeat(5) : get);
    await once(socket, 'data');
    socket.pause();
    if (n % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  };
  const worker = async (first: number) => {
    for (let n = first; n < count; n += clients) await one(n);
  };
  await Promise.all(Array.from({ length: clients }, (_, first) => worker(first)));
}
