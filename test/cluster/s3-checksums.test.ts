import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type Duplex, Transform } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import type { BlobStore } from '../../src/core/blob-store.ts';
import { openS3BlobStore } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import { append, readAll, sealed } from '../contract/blob-store/driver.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { newBucket } from './s3-bucket.ts';

const MIB = 1024 * 1024;
const RIGHT = 'these are bytes.';
const WRONG = 'these are bytez.';
const contentOf = (bytes: number) => Buffer.alloc(bytes, RIGHT);

/** What a signature over headers alone, or a length, would not notice. */
describe('bytes that change on their way', { skip: whyNoS3Server() ?? false }, () => {
  let server: S3Server;
  let store: BlobStore;
  let way: Awaited<ReturnType<typeof startWay>>;
  before(async () => {
    server = await startS3Server();
    way = await startWay(Number(new URL(server.endpoint).port));
    const options = await newBucket(server);
    store = await openS3BlobStore({ ...options, endpoint: `http://127.0.0.1:${way.port}` });
  });
  after(async () => {
    await store?.[Symbol.asyncDispose]();
    way?.close();
    await server?.[Symbol.asyncDispose]();
  });

  for (const bytes of [3000, 9 * MIB]) {
    it(`to the bucket are refused by it, of ${bytes}`, async () => {
      const id = randomUUID();
      const content = contentOf(bytes);
      way.changing = 'there';
      await assert.rejects(append(store, id, 0, content), { name: /Sha256|SHA256|Digest/i });
      way.changing = undefined;
      assert.equal(await store.stagedBytes(id), 0);
    });

    it(`from the bucket are not given to their end, of ${bytes}`, async () => {
      const { location } = await sealed(store, contentOf(bytes));
      way.changing = 'back';
      await using reader = (await store.read(location))!;
      let given = 0;
      const reading = async () => {
        for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
          given += chunk.byteLength;
          reader.recycle(chunk);
        }
      };
      await assert.rejects(reading(), /other bytes than those of sha256:/);
      assert.ok(given < bytes, `${given} of ${bytes}`);
      way.changing = undefined;
      assert.ok(contentOf(bytes).equals((await readAll(store, location))!));
    });
  }
});

/** A way to a server that can change what passes. */
async function startWay(port: number) {
  const way = { changing: undefined as 'there' | 'back' | undefined, port: 0, close: () => {} };
  const changer = (direction: 'there' | 'back') =>
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        done(null, way.changing === direction ? replaced(chunk) : chunk);
      },
    });
  const sockets = new Set<Duplex>();
  const listening = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    for (const socket of [client, server]) sockets.add(socket.on('error', () => socket.destroy()));
    client.pipe(changer('there')).pipe(server);
    server.pipe(changer('back')).pipe(client);
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  way.port = (listening.address() as AddressInfo).port;
  way.close = () => {
    listening.close();
    for (const socket of sockets) socket.destroy();
  };
  return way;
}

function replaced(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString('latin1').replaceAll(RIGHT, WRONG), 'latin1');
}
