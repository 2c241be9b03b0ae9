import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { connect as connectSecurely } from 'node:tls';
import { ensureSelfSigned } from '../../src/drivers/certificates/self-signed.ts';
import type { Handler } from '../../src/http/handler.ts';
import { createHttpServer, type FinishedRequest, type HttpServerSettings } from '../../src/http/server.ts';
import { loadTls } from '../../src/http/tls/tls-files.ts';
import { createTrustedProxies } from '../../src/http/trusted-proxy.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-'));
});
afterEach(() => rm(folder, { recursive: true }));

const origins = createTrustedProxies([]);
const sayScheme: Handler = async (incoming, response) => {
  response.end(origins.originOf(incoming).scheme);
};

async function serve(handler: Handler, settings: Partial<HttpServerSettings> = {}) {
  const files = await ensureSelfSigned({ folder, names: [], now: new Date() });
  const tls = await loadTls(files);
  const ca = await readFile(files.authorityFile);
  const server = createHttpServer(handler, { idleSeconds: 60, onError: () => {}, tls, ...settings });
  const port = await server.listen('127.0.0.1', 0);
  return {
    port,
    ca,
    close: (graceMs: number) => server.close(graceMs),
    async get(): Promise<string> {
      const asked = request({ host: '127.0.0.1', port, ca, agent: false }).end();
      const [answer] = await once(asked, 'response');
      return text(answer);
    },
    async [Symbol.asyncDispose]() {
      await server.close(0);
      tls[Symbol.dispose]();
    },
  };
}

describe('the HTTP server over TLS', () => {
  it('answers who trusts its authority, knows that it is secure, and tells of the request', async () => {
    const finished: FinishedRequest[] = [];
    await using server = await serve(sayScheme, { onFinished: (one) => finished.push(one) });
    assert.equal(await server.get(), 'https');
    await server.close(1000);
    assert.deepEqual(
      finished.map(({ status, aborted }) => [status, aborted]),
      [[200, false]],
    );
    assert.ok(finished[0]!.bytesIn > 0 && finished[0]!.bytesOut > 0);
  });

  it('does not speak plainly', async () => {
    await using server = await serve(sayScheme);
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.doesNotMatch(await text(socket).catch(() => ''), /HTTP/);
  });

  it('cuts off who does not get on with the handshake', async () => {
    await using server = await serve(sayScheme, { headersSeconds: 0.1 });
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'close');
  });

  it('ends without waiting for handshakes and resting connections, and lets what is under way finish', async () => {
    const begun = Promise.withResolvers<void>();
    const work = Promise.withResolvers<void>();
    await using server = await serve(async (incoming, response) => {
      begun.resolve();
      await work.promise;
      await sayScheme(incoming, response);
    });
    const silent = connect(server.port, '127.0.0.1');
    await once(silent, 'connect');
    const resting = connectSecurely({ port: server.port, host: '127.0.0.1', ca: server.ca });
    await once(resting, 'secureConnect');
    const answer = server.get();
    await begun.promise;
    const closed = server.close(60_000);
    await Promise.all([silent, resting].map((socket) => socket.closed || once(socket.resume(), 'close')));
    work.resolve();
    assert.equal(await answer, 'https');
    await closed;
  });
});
