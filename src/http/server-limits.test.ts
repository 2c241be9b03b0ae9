import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { readBody } from './body.ts';
import type { Handler } from './handler.ts';
import { securityHeaders, withSecurityHeaders } from './security-headers.ts';
import { createHttpServer, type HttpServerSettings } from './server.ts';

const echo: Handler = async (request, response) => {
  const body = await readBody(request, { bytesMax: 10_000 }).catch(() => undefined);
  if (body === undefined) return void response.destroy();
  response.end(`${body.length} bytes`);
};

async function serve(handler: Handler, settings: Partial<HttpServerSettings> = {}) {
  const server = createHttpServer(handler, { idleSeconds: 60, onError: () => {}, ...settings });
  const port = await server.listen('127.0.0.1', 0);
  return {
    async open(): Promise<Socket> {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      return socket;
    },
    [Symbol.asyncDispose]: () => server.close(0),
  };
}

/** Writes pieces at a steady pace until there are none or the server has had enough. */
async function trickle(socket: Socket, pieces: readonly string[], everyMs: number): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed || !socket.writable) return;
    socket.write(piece);
    await setTimeout(everyMs);
  }
}

const post = (bytes: number) => `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`;

describe('a client that trickles', () => {
  it('its head is cut off, whatever moves', async () => {
    await using server = await serve(echo, { headersSeconds: 0.2 });
    const socket = await server.open();
    // A client that still sends when the connection closes may see a reset in place of the answer.
    const answer = text(socket).catch(() => '');
    await trickle(socket, ['GET / HTTP/1.1\r\nHost: a\r\n', ...Array(1000).fill('X-A: b\r\n')], 10);
    assert.match(await answer, /^(HTTP\/1\.1 408 |$)/);
  });

  it('its body is cut off, whatever moves', async () => {
    await using server = await serve(echo, { idleSeconds: 0.2, bodyBytesPerSecondMin: 1000 });
    const socket = await server.open();
    const answer = text(socket).catch(() => '');
    await trickle(socket, [post(1000), ...Array(1000).fill('x')], 10);
    assert.equal(await answer, '');
  });

  it('its body is waited for while it comes fast enough', async () => {
    await using server = await serve(echo, { idleSeconds: 0.5, bodyBytesPerSecondMin: 100 });
    const socket = await server.open();
    const answer = text(socket);
    await trickle(socket, [post(7500), ...Array(150).fill('x'.repeat(50))], 10);
    assert.match(await answer, /^HTTP\/1\.1 200 .*7500 bytes$/s);
  });

  it('is not to blame while we do not read', async () => {
    const reading = Promise.withResolvers<void>();
    const slow: Handler = async (request, response) => {
      request.once('data', () => request.pause());
      await reading.promise;
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      await once(request.resume(), 'end');
      response.end(`${bytes} more`);
    };
    await using server = await serve(slow, { idleSeconds: 0.1, bodyBytesPerSecondMin: 1e6 });
    const socket = await server.open();
    const answer = text(socket);
    socket.write(`${post(10)}12345`);
    await setTimeout(500);
    reading.resolve();
    socket.write('67890');
    assert.match(await answer, /^HTTP\/1\.1 200 .*5 more$/s);
  });
});

describe('a head of many headers', () => {
  it('is read to its end: a second Host is refused however late it comes', async () => {
    await using server = await serve(echo);
    const socket = await server.open();
    const many = Array.from({ length: 2100 }, () => 'a:\r\n').join('');
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${many}Host: b\r\n\r\n`);
    assert.match(await text(socket), /^HTTP\/1\.1 400 /);
  });
});

describe('an answer', () => {
  const ask = async (handler: Handler, head = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n') => {
    await using server = await serve(handler);
    const socket = await server.open();
    socket.write(head);
    return await text(socket);
  };

  it('does not say what serves', async () => {
    for (const answer of [await ask(echo), await ask(echo, 'GARBAGE\r\n\r\n'), await ask(() => Promise.reject())]) {
      assert.match(answer, /^HTTP\/1\.1 \d/);
      assert.doesNotMatch(answer, /^(?:server|x-powered-by|via):|node/im);
    }
  });

  it('has security headers, unless the handler has its own', async () => {
    const plain = await ask(withSecurityHeaders(echo));
    for (const [name, value] of Object.entries(securityHeaders)) assert.ok(plain.includes(`\r\n${name}: ${value}\r\n`));
    const own = await ask(
      withSecurityHeaders(async (_request, response) => {
        response.writeHead(200, { 'Content-Security-Policy': "default-src 'self'" }).end();
      }),
    );
    assert.match(own, /Content-Security-Policy: default-src 'self'\r\n/);
    assert.doesNotMatch(own, /'none'/);
  });

  it('is never split by what it repeats', async () => {
    const repeating: Handler = async (request, response) => {
      response.writeHead(200, { Location: decodeURIComponent(request.url ?? '') }).end();
    };
    const answer = await ask(repeating, 'GET /%0d%0aX-Injected:1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 500 /);
    assert.doesNotMatch(answer, /X-Injected/);
  });
});
