import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { readBody } from './body.ts';
import type { Handler } from './handler.ts';
import { createHttpServer, type FinishedRequest, type HttpServerSettings } from './server.ts';

const get = 'GET /a?secret HTTP/1.1\r\nHost: a\r\n\r\n';
const getAndClose = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('the HTTP server', () => {
  it('tells of every request without its query', async () => {
    const finished: FinishedRequest[] = [];
    await using server = await serve(sayHello, { onFinished: (one) => finished.push(one) });
    const asked = get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
    const answer = await server.exchange(asked);
    assert.match(answer, /hello$/);
    const [{ ms, bytesIn, bytesOut, ...rest }, ...more] = finished as [FinishedRequest];
    assert.deepEqual(more, []);
    assert.deepEqual(rest, { method: 'GET', path: '/a', status: 200, aborted: false, requestId: undefined });
    assert.ok(ms >= 0);
    assert.deepEqual([bytesIn, bytesOut], [asked.length, answer.length]);
  });

  it('refuses a second Host header', async () => {
    await using server = await serve(sayHello);
    for (const second of ['Host: b', 'hOST: a', 'host:']) {
      const answer = await server.exchange(`GET / HTTP/1.1\r\nHost: a\r\n${second}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 400 /, second);
    }
  });

  it('answers a fault with 500 and the id under which it logs it', async () => {
    const errors: [unknown, { requestId: string; path: string }][] = [];
    await using server = await serve(() => Promise.reject(new Error('broken')), {
      onError: (error, request) => errors.push([error, request]),
    });
    const answer = await server.exchange(getAndClose);
    const [[error, request]] = errors as [[Error, { requestId: string; path: string }]];
    assert.match(answer, /^HTTP\/1\.1 500 /);
    assert.ok(answer.includes(request.requestId));
    assert.deepEqual([error.message, request.path], ['broken', '/']);
  });

  it('cuts off an answer that fails half-way', async () => {
    await using server = await serve(async (_request, response) => {
      response.writeHead(200, { 'Content-Length': 10 }).write('half');
      throw new Error('broken');
    });
    assert.match(await server.exchange(getAndClose), /^(?:$|HTTP\/1\.1 200 .*half$)/s);
  });

  it('leaves an answer alone that the handler ended before it threw', async () => {
    await using server = await serve(async (_request, response) => {
      response.writeHead(503).end('mine');
      throw new Error('broken');
    });
    assert.match(await server.exchange(getAndClose), /^HTTP\/1\.1 503 .*mine/s);
  });

  it('answers what a client sends ahead one by one', async () => {
    let running = 0;
    const together: number[] = [];
    await using server = await serve(async (request, response) => {
      together.push(++running);
      await new Promise((resolve) => setImmediate(resolve));
      response.end(await readBody(request, { bytesMax: 10 }));
      running -= 1;
    });
    const post = (text: string, more = '') => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n${more}\r\n${text}`;
    const answer = await server.exchange(`${post('a')}${post('b')}${post('c', 'Connection: close\r\n')}`);
    assert.match(answer, /\r\n\r\na.*\r\n\r\nb.*\r\n\r\nc/s);
    assert.deepEqual(together, [1, 1, 1]);
  });

  it('does not begin what a client sent ahead and left', async () => {
    let handled = 0;
    await using server = await serve(async (_request, response) => {
      handled += 1;
      await once(response, 'close');
    });
    const socket = await server.open();
    socket.write(get.repeat(3));
    await server.busy();
    socket.destroy();
    await server.idle();
    await server.close(0);
    assert.equal(handled, 1);
  });

  it('cuts off a client that stops in the middle of a body', async () => {
    const failed = Promise.withResolvers<unknown>();
    await using server = await serve((request) => readBody(request, { bytesMax: 10 }).then(() => {}, failed.resolve), {
      idleSeconds: 0.1,
    });
    const socket = await server.open();
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    await once(socket, 'close');
    assert.match(String(await failed.promise), /went away/);
  });

  it('cuts off a client that does not take its answer', async () => {
    await using server = await serve(
      async (_request, response) => {
        response.writeHead(200, { 'Content-Length': 100e6 }).write(Buffer.alloc(50e6));
        await once(response, 'close');
      },
      { idleSeconds: 0.1 },
    );
    const socket = await server.open();
    socket.pause();
    socket.write(get);
    await server.idle();
  });

  it('waits for work of its own, however long no byte moves', async () => {
    const work = Promise.withResolvers<void>();
    const idle = Promise.withResolvers<void>();
    await using server = await serve(
      async (request, response) => {
        request.socket.on('timeout', idle.resolve);
        await work.promise;
        await sayHello(request, response);
      },
      { idleSeconds: 0.05 },
    );
    const answer = server.exchange(getAndClose);
    await idle.promise;
    work.resolve();
    assert.match(await answer, /hello$/);
  });

  it('lets a client that asks before it sends know when to send', async () => {
    await using server = await serve(async (request, response) => {
      const body = await readBody(request, { bytesMax: 10 });
      response.end(body);
    });
    const socket = await server.open();
    socket.write('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n');
    const [first] = await once(socket, 'data');
    assert.equal(String(first), 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('abc');
    assert.match(await text(socket), /^HTTP\/1\.1 200 .*abc/s);
  });

  it('closes the connection of a client that it refuses before it sends', async () => {
    await using server = await serve(async (_request, response) => void response.writeHead(404).end());
    const head = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n';
    assert.match(await server.exchange(head), /^HTTP\/1\.1 404 .*connection: close/is);
  });
});

describe('the end of the HTTP server', () => {
  it('lets what is under way finish, and says that the connection ends', async () => {
    const begun = Promise.withResolvers<void>();
    const work = Promise.withResolvers<void>();
    await using server = await serve(async (request, response) => {
      begun.resolve();
      await work.promise;
      await sayHello(request, response);
    });
    const answer = server.exchange(get);
    await begun.promise;
    const closed = server.close(60_000);
    work.resolve();
    assert.match(await answer, /connection: close.*hello$/is);
    await closed;
    await assert.rejects(server.open(), /ECONNREFUSED/);
  });

  it('does not wait for connections that rest, nor for ones that never asked', async () => {
    await using server = await serve(sayHello);
    const resting = await server.open();
    const silent = await server.open();
    const begun = await server.open();
    begun.write('GET / HT');
    resting.write(get);
    await once(resting, 'data');
    await server.close(60_000);
    await Promise.all([resting, silent, begun].map((socket) => socket.closed || once(socket, 'close')));
  });

  it('ends a connection whose answer had promised to keep it', async () => {
    const work = Promise.withResolvers<void>();
    await using server = await serve(async (_request, response) => {
      response.writeHead(200, { 'Content-Length': 4 }).write('he');
      await work.promise;
      response.end('re');
    });
    const socket = await server.open();
    socket.write(get);
    await once(socket, 'data');
    const closed = server.close(60_000);
    work.resolve();
    assert.equal(await text(socket), 're');
    await closed;
  });

  it('cuts off what takes longer than the bound', async () => {
    await using server = await serve(() => new Promise(() => {}));
    const socket = await server.open();
    socket.write(get);
    await server.busy();
    await server.close(10);
    await (socket.closed || once(socket, 'close'));
  });
});

async function sayHello(_request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'Content-Length': 5 }).end('hello');
}

async function serve(handler: Handler, settings: Partial<HttpServerSettings> = {}) {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const counting: Handler = (request, response) => {
    begun.resolve();
    response.once('close', ended.resolve);
    return handler(request, response);
  };
  const server = createHttpServer(counting, { idleSeconds: 60, onError: () => {}, ...settings });
  const port = await server.listen('127.0.0.1', 0);
  const sockets: Socket[] = [];
  const open = async () => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    // A server that cuts off may do it with a reset.
    socket.on('error', () => {});
    return socket;
  };
  return {
    open,
    close: server.close,
    /** Sends the text; resolves with all that came until the server closed the connection. */
    async exchange(request: string): Promise<string> {
      const socket = await open();
      socket.write(request);
      return text(socket).catch(() => '');
    },
    /** A request has reached the handler. */
    busy: () => begun.promise,
    /** An answer is over, one way or the other. */
    idle: () => ended.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await server.close(0);
    },
  };
}
