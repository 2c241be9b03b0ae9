import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { onCluster, placeOf } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import { blobOf, pushBlob } from '../support/images.ts';
import { checkout, cleanEnvironment, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { rawConnection } from './raw-exchange.ts';

const slowStop = ['--stop-seconds', '20'];

describe('a server that is told to stop', () => {
  it('finishes an upload that is under way, takes no other, and exits 0', async () => {
    await using folder = await temporaryFolder();
    const blob = blobOf(randomBytes(500_000));
    {
      await using server = await startServer({ data: folder.path, args: slowStop });
      const socket = await rawConnection(server.url);
      socket.write(
        `POST /v2/some/name/blobs/uploads/?digest=${blob.digest} HTTP/1.1\r\nHost: localhost\r\n` +
          `Content-Type: application/octet-stream\r\nContent-Length: ${blob.bytes.length}\r\n\r\n`,
      );
      socket.write(blob.bytes.subarray(0, 400_000));
      await uploadIsUnderWay(server.url);
      const stopped = server.stop();
      await refusesConnections(server.url);
      const answered = once(socket, 'data');
      socket.write(blob.bytes.subarray(400_000));
      const [head] = await answered;
      assert.match(String(head), /^HTTP\/1\.1 201 Created\r\n/);
      assert.equal(await stopped, 0);
      socket.destroy();
    }
    await using server = await startServer({ data: folder.path });
    const pulled = await http(`${server.url}/v2/some/name/blobs/${blob.digest}`);
    assert.deepEqual(pulled.body, blob.bytes);
  });

  it('cuts off who takes longer than it waits, keeps what came, and exits 0', async () => {
    await using folder = await temporaryFolder();
    const bytes = randomBytes(300_000);
    let path: string;
    {
      await using server = await startServer({ data: folder.path, args: ['--stop-seconds', '1'] });
      const begun = await http(`${server.url}/v2/some/name/blobs/uploads/`, { method: 'POST' });
      path = String(begun.headers.location);
      const socket = await rawConnection(server.url);
      const closed = once(socket.resume(), 'close');
      socket.write(`PATCH ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n`);
      socket.write(bytes);
      // A bucket says how far a request has come when it ends.
      if (onCluster) await http(`${server.url}${path}`);
      else await receivedBytes(server.url, path);
      assert.equal(await server.stop(), 0);
      await closed;
    }
    await using server = await startServer({ data: folder.path });
    assert.equal(await receivedBytes(server.url, path), bytes.length);
  });

  it('ends at once at the second signal', async () => {
    await using server = await startServer({ args: slowStop });
    const socket = await rawConnection(server.url);
    socket.write('PUT /v2/some/name/manifests/latest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n{');
    await pushBlob(server.url, 'some/name', blobOf('before'));
    const stopped = server.stop();
    await refusesConnections(server.url);
    process.kill(server.pid, 'SIGTERM');
    assert.equal(await stopped, 143);
    socket.destroy();
  });

  it('ends with npm start, and leaves nothing running', async () => {
    await using folder = await temporaryFolder();
    const bin = join(checkout, 'node_modules', '.bin');
    const child = spawn('npm', ['start', '--', '--port', '0', '--data', folder.path], {
      cwd: checkout,
      env: {
        ...cleanEnvironment(),
        ...(await placeOf(folder.path)),
        PATH: `${bin}:${process.env.PATH}`,
        npm_config_update_notifier: 'false',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    let printed = '';
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      printed += chunk;
      if (/127\.0\.0\.1:\d+, /.test(printed)) break;
    }
    child.stdout.resume();
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0] ?? '';
    assert.equal((await http(`${url}/healthz`)).status, 200);
    child.kill('SIGTERM');
    const [code] = await ended;
    assert.equal(code, 0);
    await refusesConnections(url);
  });
});

/** Resolves when the server has begun with the request that came before over another connection. */
async function uploadIsUnderWay(url: string): Promise<void> {
  for (;;) {
    const { repositories } = (await http(`${url}/v2/_catalog`)).json();
    if (repositories.includes('some/name')) return;
  }
}

/** Resolves when some of an upload's bytes have come. @returns how many */
async function receivedBytes(url: string, path: string): Promise<number> {
  for (;;) {
    const { headers } = await http(`${url}${path}`);
    const last = Number(String(headers.range).replace('0-', ''));
    if (last > 0) return last + 1;
  }
}

async function refusesConnections(url: string): Promise<void> {
  for (;;) {
    const outcome = await http(`${url}/healthz`).catch((error: NodeJS.ErrnoException) => error.code);
    if (outcome === 'ECONNREFUSED') return;
  }
}
