import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { BodyAbortedError, BodyTooLargeError, pumpBody, readBody } from './body.ts';

describe('readBody', () => {
  for (const bytes of [0, 5, 64 * 1024, 64 * 1024 + 1, 3 * 1024 * 1024]) {
    it(`gives ${bytes} bytes as they were sent`, async () => {
      const sent = Buffer.alloc(bytes, 'gantry');
      const seen = await exchange((request) => readBody(request, { bytesMax: bytes }), head(bytes), sent);
      assert.ok(sent.equals(seen));
    });
  }

  it('gives a chunked body', async () => {
    const text = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
    assert.equal((await exchange((request) => readBody(request, { bytesMax: 5 }), text)).toString(), 'abcde');
  });

  it('refuses an announced length above the limit before a byte was read', async () => {
    const read = exchange((request) => readBody(request, { bytesMax: 100_000 }), head(100_001));
    await assert.rejects(read, BodyTooLargeError);
  });

  it('refuses a chunked body once it is above the limit', async () => {
    const text = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n';
    await assert.rejects(
      exchange((request) => readBody(request, { bytesMax: 5 }), text),
      BodyTooLargeError,
    );
  });

  for (const bytes of [10, 100_000]) {
    it(`notices a client that leaves before all of ${bytes} bytes came`, async () => {
      const read = exchange(
        (request) => readBody(request, { bytesMax: bytes }),
        head(bytes),
        Buffer.alloc(5),
        (socket) => socket.destroy(),
      );
      await assert.rejects(read, BodyAbortedError);
    });
  }

  it('notices a client that had left before reading began', async () => {
    const read = exchange(
      async (request) => {
        if (!request.closed) await new Promise((resolve) => request.once('close', resolve));
        return readBody(request, { bytesMax: 10 });
      },
      head(10),
      Buffer.alloc(5),
      (socket) => socket.destroy(),
    );
    await assert.rejects(read, BodyAbortedError);
  });
});

describe('pumpBody', () => {
  it('hands over chunks that own their memory', async () => {
    const owned: boolean[] = [];
    const sink = {
      write: (chunk: Buffer) => owned.push(chunk.byteLength === chunk.buffer.byteLength) > 0,
      drained: async () => {},
    };
    await exchange((request) => pumpBody(request, sink), head(1_000_000), Buffer.alloc(1_000_000));
    assert.ok(owned.length > 0);
    assert.ok(owned.every(Boolean));
  });

  it('hands nothing over while the sink is full', async () => {
    let full = false;
    let bytes = 0;
    const sink = {
      write(chunk: Buffer) {
        assert.equal(full, false);
        full = true;
        bytes += chunk.byteLength;
        return false;
      },
      async drained() {
        await new Promise((resolve) => setImmediate(resolve));
        full = false;
      },
    };
    const result = await exchange((request) => pumpBody(request, sink), head(1_000_000), Buffer.alloc(1_000_000));
    assert.deepEqual(result, { bytes: 1_000_000 });
    assert.equal(bytes, 1_000_000);
  });

  const broken = {
    'a write that throws': {
      write() {
        throw new Error('disk');
      },
      drained: async () => {},
    },
    'a wait that rejects': { write: () => false, drained: () => Promise.reject(new Error('disk')) },
  };
  for (const [name, sink] of Object.entries(broken)) {
    it(`passes on ${name}`, async () => {
      const reported = exchange((request) => pumpBody(request, sink), head(1_000_000), Buffer.alloc(1_000_000));
      await assert.rejects(reported, /disk/);
    });
  }

  it('takes what is left of a body that failed, so that the next request is heard', async () => {
    const urls: string[] = [];
    const sink = { write: () => false, drained: () => Promise.reject(new Error('disk')) };
    const second = Promise.withResolvers<void>();
    const server = createServer((request, response) => {
      urls.push(String(request.url));
      if (request.url === '/second') second.resolve();
      pumpBody(request, sink)
        .finally(() => response.end())
        .catch(() => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
    socket.write(head(5_000_000));
    socket.write(Buffer.alloc(5_000_000));
    socket.write('GET /second HTTP/1.1\r\nHost: a\r\n\r\n');
    await second.promise;
    assert.deepEqual(urls, ['/', '/second']);
    socket.destroy();
    server.close();
  });
});

function head(bytes: number): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`;
}

/** Sends one request's bytes to a server that runs `work` on it; resolves or rejects as work does, once the client has its answer or left. */
async function exchange<T>(
  work: (request: IncomingMessage) => Promise<T>,
  text: string,
  body: Buffer = Buffer.alloc(0),
  afterwards: (socket: Socket) => void = () => {},
): Promise<T> {
  const outcome = Promise.withResolvers<T>();
  outcome.promise.catch(() => {});
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    work(request)
      .then(outcome.resolve, outcome.reject)
      .finally(() => response.writeHead(200, { Connection: 'close' }).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  socket.write(text);
  socket.write(body, () => afterwards(socket));
  try {
    return await outcome.promise;
  } finally {
    socket.destroy();
    server.close();
    server.closeAllConnections();
  }
}
