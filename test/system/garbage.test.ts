import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import { type Blob, blobOf, pushBlob, pushImage, randomImage } from '../support/images.ts';
import { run } from '../support/programs.ts';
import { checkout, pinnedNode, type RunningServer, startServer } from '../support/server.ts';
import { stagedFiles, storedFiles } from '../support/stored-files.ts';
import { rawConnection } from './raw-exchange.ts';

/** Runs beside the server, as an operator would. @returns what it said */
const garbage = ({ data }: RunningServer, ...words: string[]): Promise<string> =>
  run([pinnedNode, join(checkout, 'bin', 'gantry.js'), 'garbage', '--data', data, ...words]);

const statusOf = async ({ url }: RunningServer, path: string, method = 'GET') =>
  (await http(`${url}${path}`, { method })).status;
const blobPath = (repository: string, { digest }: Blob) => `/v2/${repository}/blobs/${digest}`;
const filesOf = async ({ data }: RunningServer, { digest }: Blob) =>
  (await storedFiles(data)).filter(({ name }) => name.includes(digest.replace('sha256:', '')));

const noLease = ['--layer-lease-seconds', '0', '--undo-seconds', '0'];

describe('gantry garbage, beside a running server', () => {
  it('takes a layer that no image uses once its lease is over, and nothing that an image uses', async () => {
    await using server = await startServer({ args: noLease });
    const image = randomImage();
    await pushImage(server.url, 'some/image', 'latest', image);
    const unused = blobOf(randomBytes(5000));
    await pushBlob(server.url, 'some/image', unused);
    const said = await garbage(server);
    assert.match(
      said,
      /^Forgot 0 idle uploads and 1 layers that no image uses; deleted 1 blobs and 0 remains of crashes: 4\.9 KiB/,
    );
    assert.equal(await statusOf(server, blobPath('some/image', unused)), 404);
    assert.deepEqual(await filesOf(server, unused), []);
    for (const blob of [image.config, ...image.layers]) {
      assert.deepEqual((await http(`${server.url}${blobPath('some/image', blob)}`)).body, blob.bytes);
    }
    assert.match(
      await garbage(server),
      /^Forgot 0 idle uploads and 0 layers that no image uses; deleted 0 blobs and 0 /,
    );
  });

  it('leaves a layer alone while its lease lasts', async () => {
    await using server = await startServer();
    const blob = blobOf(randomBytes(100));
    await pushBlob(server.url, 'some/image', blob);
    await garbage(server, ...noLease);
    assert.equal(await statusOf(server, blobPath('some/image', blob)), 200);
  });

  it('lets a lease begin when the last image that uses a layer is deleted', async () => {
    await using server = await startServer();
    const image = randomImage();
    await pushImage(server.url, 'some/image', 'latest', image);
    const path = `/v2/some/image/manifests/${image.manifest.digest}`;
    assert.equal(await statusOf(server, path, 'DELETE'), 202);
    await garbage(server);
    assert.equal(await statusOf(server, blobPath('some/image', image.layers[0]!)), 200);
  });

  it('keeps bytes that two repositories share until both have let go of them', async () => {
    await using server = await startServer({ args: noLease });
    const image = randomImage();
    const [layer] = image.layers;
    await pushImage(server.url, 'first/image', 'latest', image);
    await pushImage(server.url, 'second/image', 'latest', image);
    assert.equal((await filesOf(server, layer!)).length, 1);
    for (const [name, other] of [
      ['first/image', 'second/image'],
      ['second/image', undefined],
    ] as const) {
      const imageIds = [{ imageDigest: image.manifest.digest }];
      assert.equal((await awsCall(server.url, 'BatchDeleteImage', { repositoryName: name, imageIds })).status, 200);
      await garbage(server);
      assert.equal(await statusOf(server, blobPath(name, layer!)), 404);
      if (other) assert.deepEqual((await http(`${server.url}${blobPath(other, layer!)}`)).body, layer!.bytes);
    }
    assert.deepEqual(await filesOf(server, layer!), []);
  });

  it('takes what a deleted repository held', async () => {
    await using server = await startServer();
    const image = randomImage();
    await pushImage(server.url, 'some/image', 'latest', image);
    const deleted = await awsCall(server.url, 'DeleteRepository', { repositoryName: 'some/image', force: true });
    assert.equal(deleted.status, 200);
    await garbage(server);
    assert.deepEqual(await filesOf(server, image.layers[0]!), []);
  });

  it('forgets an idle upload, but not one whose bytes still come', async () => {
    await using server = await startServer();
    const begin = async () =>
      String((await http(`${server.url}/v2/some/image/blobs/uploads/`, { method: 'POST' })).headers.location);
    const [idle, streaming] = [await begin(), await begin()];
    await http(`${server.url}${idle}`, { method: 'PATCH', body: 'once' });
    // Pieces of the size that the server writes at once: only what is written shows that an upload is alive.
    const piece = randomBytes(256 * 1024);
    const pieces = 16;
    const socket = await rawConnection(server.url);
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.write(
      `PATCH ${streaming} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${pieces * piece.length}\r\n\r\n`,
    );
    const stop = new AbortController();
    const collecting = collectUntil(server, stop.signal);
    for (let sent = 0; sent < pieces; sent++) {
      socket.write(piece);
      await sleep(250);
    }
    await ended;
    stop.abort();
    await collecting;
    assert.match(answer, /^HTTP\/1\.1 202 Accepted\r\n/);
    const whole = blobOf(Buffer.concat(Array.from({ length: pieces }, () => piece)));
    const finished = await http(`${server.url}${streaming}?digest=${whole.digest}`, { method: 'PUT' });
    assert.equal(finished.status, 201);
    assert.equal(await statusOf(server, idle), 404);
    assert.deepEqual(await stagedFiles(server.data), []);
  });
});

async function collectUntil(server: RunningServer, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await garbage(server, '--upload-idle-seconds', '3');
}

describe('gantry serve', () => {
  it('collects garbage on its schedule and counts it', async () => {
    await using server = await startServer({ args: [...noLease, '--garbage-interval-seconds', '1'] });
    const blob = blobOf(randomBytes(100));
    await pushBlob(server.url, 'some/image', blob);
    while ((await statusOf(server, blobPath('some/image', blob))) !== 404) await sleep(50);
    const metrics = async () => (await http(`${server.url}/metrics`)).text();
    while (!/^gantry_garbage_blobs_total 1$/m.test(await metrics())) await sleep(50);
  });
});
