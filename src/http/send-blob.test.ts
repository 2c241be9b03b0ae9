import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { HttpRange } from './ranges.ts';
import { type ChunkReader, matchesEtag, sendBlob } from './send-blob.ts';

const chunkBytes = 1024 * 1024;

describe('sendBlob', () => {
  for (const bytes of [0, 1, 1000, chunkBytes, chunkBytes + 1, 5 * chunkBytes]) {
    it(`sends ${bytes} bytes as they are, and hands every chunk back`, async () => {
      const blob = testBlob(bytes);
      const { status, headers, body } = await get(blob, {});
      assert.equal(status, 200);
      assert.equal(headers['content-length'], String(bytes));
      assert.equal(headers['accept-ranges'], 'bytes');
      assert.equal(headers.etag, '"tag"');
      assert.equal(headers['content-type'], 'application/octet-stream');
      assert.ok(blob.content.equals(body));
      blob.assertQuiet();
    });
  }

  it('answers HEAD without opening the bytes', async () => {
    const blob = testBlob(1000);
    const { status, headers, body } = await get(blob, {}, 'HEAD');
    assert.deepEqual([status, headers['content-length'], body.length], [200, '1000', 0]);
    assert.equal(blob.opened(), 0);
  });

  it('sends a range', async () => {
    const { status, headers, body } = await get(testBlob(3 * chunkBytes), { Range: `bytes=${chunkBytes - 1}-` });
    assert.equal(status, 206);
    assert.equal(headers['content-range'], `bytes ${chunkBytes - 1}-${3 * chunkBytes - 1}/${3 * chunkBytes}`);
    assert.ok(
      testBlob(3 * chunkBytes)
        .content.subarray(chunkBytes - 1)
        .equals(body),
    );
  });

  it('says how long it is when a range lies outside', async () => {
    const { status, headers } = await get(testBlob(10), { Range: 'bytes=10-' });
    assert.deepEqual([status, headers['content-range']], [416, 'bytes */10']);
  });

  it('ignores a range of something else', async () => {
    assert.equal((await get(testBlob(10), { Range: 'bytes=1-2', 'If-Range': '"other"' })).status, 200);
    assert.equal((await get(testBlob(10), { Range: 'bytes=1-2', 'If-Range': '"tag"' })).status, 206);
  });

  it('does not send again what the client has', async () => {
    const blob = testBlob(10);
    assert.equal((await get(blob, { 'If-None-Match': '"x", "tag"' })).status, 304);
    assert.equal(blob.opened(), 0);
  });

  it('keeps two chunks in flight for a client that does not read, and lets go when it leaves', async () => {
    const blob = testBlob(200 * chunkBytes);
    await using server = await serve(blob);
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await server.stalled();
    assert.equal(blob.maxHeld(), 2);
    socket.destroy();
    await server.handled();
    blob.assertDisposed();
  });

  it('cuts the answer off when the bytes end early', async () => {
    const blob = testBlob(3 * chunkBytes, { endsAt: 2 * chunkBytes });
    await assert.rejects(get(blob, {}), /aborted|ECONNRESET|hang up/);
    blob.assertDisposed();
  });
});

describe('If-None-Match', () => {
  for (const header of ['"a"', '*', '"b","a"', ' W/"a"', '"b" , W/"a"']) {
    it(`${header} names "a"`, () => assert.equal(matchesEtag(header, '"a"'), true));
  }
  for (const header of [undefined, '', '"b"', 'a', '"a']) {
    it(`${header} does not`, () => assert.equal(matchesEtag(header, '"a"'), false));
  }
});

/** A blob that counts: who opened it, how many chunks are out, and whether readers were disposed of. */
function testBlob(bytes: number, { endsAt = bytes } = {}) {
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 251) content[at] = at % 256;
  let opened = 0;
  let disposed = 0;
  let held = 0;
  let heldAtDisposal = 0;
  let maxHeld = 0;
  const read = async (range?: HttpRange): Promise<ChunkReader> => {
    opened += 1;
    let position = range?.first ?? 0;
    const end = Math.min(endsAt, range === undefined ? bytes : range.last + 1);
    return {
      async next() {
        if (position >= end) return undefined;
        const chunk = content.subarray(position, Math.min(end, position + chunkBytes));
        position += chunk.length;
        held += 1;
        maxHeld = Math.max(maxHeld, held);
        return chunk;
      },
      recycle() {
        held -= 1;
      },
      async [Symbol.asyncDispose]() {
        disposed += 1;
        heldAtDisposal = held;
      },
    };
  };
  const assertDisposed = () => assert.deepEqual([opened, disposed], [1, 1]);
  const assertQuiet = () => assert.deepEqual([disposed, heldAtDisposal, held], [opened, 0, 0]);
  return { content, bytes, read, opened: () => opened, maxHeld: () => maxHeld, assertDisposed, assertQuiet };
}

type TestBlob = ReturnType<typeof testBlob>;

async function serve(blob: TestBlob) {
  const handled = Promise.withResolvers<void>();
  let response: ServerResponse | undefined;
  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    response = outgoing;
    sendBlob(incoming, outgoing, { ...blob, etag: '"tag"', contentType: 'application/octet-stream' })
      .catch(() => void outgoing.destroy())
      .then(handled.resolve);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    handled: () => handled.promise,
    /** Resolves when no more bytes reach the socket. */
    async stalled() {
      for (let before = -1; before !== (response?.socket?.bytesWritten ?? 0) || before === 0; ) {
        before = response?.socket?.bytesWritten ?? 0;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function get(
  blob: TestBlob,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: Buffer }> {
  await using server = await serve(blob);
  const outgoing = request({ host: '127.0.0.1', port: server.port, method, headers, agent: false });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = await buffer(response);
  await server.handled();
  return { status: response.statusCode, headers: response.headers, body };
}
