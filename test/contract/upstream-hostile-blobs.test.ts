import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UpstreamBlob } from '../../src/core/upstreams/upstream.ts';
import { digestOf } from '../../src/core/values/digest.ts';
import { type Answering, against, failure } from '../upstreams/hostile-registry.ts';

const blob = Buffer.alloc(3_000_000, 'abcdefg');
const digest = digestOf(blob);

async function readAll(opened: Promise<UpstreamBlob>): Promise<Buffer> {
  await using reader = await opened;
  const chunks: Uint8Array[] = [];
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
    assert.equal(chunk.byteLength, chunk.buffer.byteLength, 'a chunk owns its memory');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

describe('blobs of an upstream that cannot be trusted', () => {
  const send = (body: Buffer, headers: Record<string, string | number> = {}) =>
    ((_, response) => {
      const framing = 'Transfer-Encoding' in headers ? {} : { 'Content-Length': body.length };
      response.writeHead(200, { ...framing, ...headers }).end(body);
    }) as Answering;

  it('are as long as promised', async () => {
    const open = (answer: Answering, expectedBytes?: number) =>
      against(answer, (client) => readAll(client.openBlob('a', digest, { expectedBytes })));
    const chunked = { 'Transfer-Encoding': 'chunked' };
    await assert.rejects(open(send(blob), 4_000_000), failure('invalid', /has 3000000 bytes instead of 4000000/));
    await assert.rejects(open(send(blob, chunked), 4_000_000), failure('invalid', /ended at 3000000 of 4000000/));
    await assert.rejects(open(send(blob, chunked), 2_000_000), failure('invalid', /longer than 2000000/));
    await assert.rejects(open(send(blob, chunked)), failure('invalid', /does not say how long/));
    await assert.rejects(open(send(blob, { 'Content-Type': 'text/html' })), failure('invalid', /is HTML/));
    await assert.rejects(open(send(blob, { 'Content-Encoding': 'gzip' })), failure('invalid', /encoded as gzip/));
    assert.deepEqual(await open(send(blob, chunked), blob.length), blob);
    assert.deepEqual(await open(send(Buffer.alloc(0)), 0), Buffer.alloc(0));
  });

  it('go on where the connection broke, with ranges and without', async () => {
    for (const hasRanges of [true, false]) {
      const cut: Answering = (request, response, count) => {
        const first = hasRanges ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
        const range = `bytes ${first}-${blob.length - 1}/${blob.length}`;
        const headers = { 'Content-Length': blob.length - first, ...(first > 0 && { 'Content-Range': range }) };
        response.writeHead(first > 0 ? 206 : 200, headers);
        if (count === 3) return response.end(blob.subarray(first));
        response.write(blob.subarray(first, 1_000_001 * count), () => request.socket.destroy());
      };
      await against(cut, async (client, { asked }) => {
        assert.deepEqual(await readAll(client.openBlob('a', digest, { expectedBytes: blob.length })), blob);
        assert.equal(asked.length, 3);
      });
    }
  });

  it('begin at an offset, of a server without ranges too', async () => {
    await against(send(blob), async (client) => {
      const reader = await client.openBlob('a', digest, { offset: 2_999_990 });
      assert.deepEqual([reader.bytes, reader.totalBytes], [10, blob.length]);
      assert.deepEqual(await readAll(Promise.resolve(reader)), blob.subarray(2_999_990));
      assert.equal((await readAll(client.openBlob('a', digest, { offset: 5, expectedBytes: 5 }))).length, 0);
      await assert.rejects(client.openBlob('a', digest, { offset: 6, expectedBytes: 5 }), RangeError);
    });
  });

  it('are given up when they break off again and again, or go on elsewhere', async () => {
    const stuck: Answering = (request, response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('ab', () => request.socket.destroy());
    };
    await against(stuck, async (client, { asked }) => {
      await assert.rejects(
        readAll(client.openBlob('a', digest)),
        failure('unavailable', /connection failed|broke off/),
      );
      assert.equal(asked.length, 3);
    });
    const astray =
      (status: number, range: string): Answering =>
      (request, response, count) => {
        if (count > 1) return response.writeHead(status, { 'Content-Range': range, 'Content-Length': 1 }).end('x');
        response.writeHead(200, { 'Content-Length': 100 }).write('ab', () => request.socket.destroy());
      };
    const open = (answer: Answering) => against(answer, (client) => readAll(client.openBlob('a', digest)));
    await assert.rejects(open(astray(206, 'bytes 0-0/100')), failure('invalid', /another range/));
    await assert.rejects(open(astray(206, 'bytes 2-2/3')), failure('invalid', /3 bytes instead of 100/));
    await assert.rejects(open(astray(416, 'bytes */2')), failure('invalid', /ends before byte/));
  });

  it('are not read faster than they are asked for', async () => {
    let sent = 0;
    const flood: Answering = (_, response) => {
      response.writeHead(200, { 'Content-Length': 1e9 });
      const chunk = Buffer.alloc(1_000_000);
      const more = () => {
        while (sent < 1e9 && response.write(chunk)) sent += chunk.length;
      };
      response.on('drain', () => {
        sent += chunk.length;
        more();
      });
      more();
    };
    await against(flood, async (client) => {
      await using reader = await client.openBlob('a', digest);
      await reader.next();
      await sleep(300);
      // What fits into the buffers of the sockets on both sides.
      assert.ok(sent < 50e6, `${sent} bytes were sent to a reader that took one chunk`);
    });
  });
});
