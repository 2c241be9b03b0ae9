import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { placeOf } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import { mediaTypes, pushImage, randomImage } from '../support/images.ts';
import { checkout, cleanEnvironment, pinnedNode, type RunningServer, startServer } from '../support/server.ts';
import { migration } from './migration-world.ts';

/** The source, but for one blob that begins and never ends. */
async function startStalling({ port }: RunningServer, digest: string) {
  const { promise: isAsked, resolve } = Promise.withResolvers<void>();
  const server = createServer((incoming, outgoing) => {
    const { url, method, headers } = incoming;
    const isStalled = method === 'GET' && (url ?? '').endsWith(`/blobs/${digest}`);
    const onward = request({ host: '127.0.0.1', port, path: url, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      if (!isStalled) return void answer.pipe(outgoing);
      answer.once('data', (chunk: Buffer) => {
        outgoing.write(chunk.subarray(0, 1000));
        answer.pause();
        resolve();
      });
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isAsked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function start(data: string, from: string) {
  const words = ['import', '--from', from, '--allow-private', '--concurrency', '1', '--data', data];
  const child = spawn(pinnedNode, [`${checkout}/bin/gantry.js`, ...words], {
    env: { ...cleanEnvironment(), ...(await placeOf(data)) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, said: text(child.stdout), ended: once(child, 'close') };
}

const LAYER_BYTES = [100_000, 200_000, 300_000, 400_000];

describe('an import that is broken off', () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`is gone on with by the next run (${signal})`, async () => {
      await using source = await startServer();
      await using target = await startServer();
      const [first, second] = [randomImage([50_000]), randomImage(LAYER_BYTES)];
      await pushImage(source.url, 'app', 'a', first);
      await pushImage(source.url, 'app', 'b', second);
      const slow = second.layers[3]!;
      {
        await using stalling = await startStalling(source, slow.digest);
        const { child, said, ended } = await start(target.data, stalling.url);
        await stalling.isAsked;
        // What came before the slow one is there.
        for (const { digest } of second.layers.slice(0, 3)) await until(target, digest);
        child.kill(signal);
        const [code] = await ended;
        if (signal === 'SIGTERM') {
          assert.equal(code, 1);
          assert.match(await said, /^Copied 1 image of 1 repository/);
          assert.match(await said, /^It was broken off; the same command goes on where it stands\.$/m);
        }
      }
      const gantry = migration(target.data);
      const words = ['import', '--from', source.url, '--allow-private', '--json'];
      const ran = JSON.parse((await gantry(...words)).stdout);
      assert.partialDeepStrictEqual(ran, {
        images: { copied: 1, present: 1, failed: 0 },
        storedBytes: slow.bytes.length,
        isAborted: false,
      });
      const served = await http(`${target.url}/v2/app/manifests/b`, { headers: { Accept: mediaTypes.manifest } });
      assert.deepEqual(served.body, second.manifest.bytes);
      assert.partialDeepStrictEqual(JSON.parse((await gantry(...words)).stdout), {
        storedBytes: 0,
        images: { copied: 0 },
      });
    });
  }
});

/** Resolves once the layer is there. */
async function until({ url }: RunningServer, digest: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if ((await http(`${url}/v2/app/blobs/${digest}`, { method: 'HEAD' })).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`${digest} did not come`);
}
