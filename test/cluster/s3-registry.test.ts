import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3BlobStoreOptions } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import { prepareAccess, startEnforcedServer } from '../support/access.ts';
import { type HttpAnswer, http } from '../support/http.ts';
import { type Blob, blobOf, pushBlob, pushImage, randomImage } from '../support/images.ts';
import { findProgram, type Ran, run, runAny } from '../support/programs.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { checkout, pinnedNode, type RunningServer, startServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { ecrClient, uploadLayer } from '../system/aws-client.ts';
import { contentOfBucket, environmentOf, newBucket } from './s3-bucket.ts';

const MIB = 1024 * 1024;
const repositoryName = 'some/image';
const pathOf = ({ digest }: Blob) => `/v2/${repositoryName}/blobs/${digest}`;

describe('a registry with its bytes in a bucket', { skip: whyNoS3Server() ?? false }, () => {
  let s3: S3Server;
  before(async () => {
    s3 = await startS3Server();
  });
  after(() => s3?.[Symbol.asyncDispose]());

  const started = async (args: readonly string[] = [], data?: string) => {
    const options = await newBucket(s3);
    return { options, server: await startServer({ args, env: environmentOf(options), data }) };
  };

  it('sends whoever may read a layer to the bucket for it, and answers HEAD itself', async () => {
    const { server, options } = await started();
    await using _ = server;
    const image = randomImage([3000, 7 * MIB]);
    await pushImage(server.url, repositoryName, 'latest', image);
    for (const blob of [image.config, ...image.layers]) {
      const answer = await http(server.url + pathOf(blob));
      assert.deepEqual([answer.status, answer.headers['docker-content-digest']], [307, blob.digest]);
      const link = String(answer.headers.location);
      assert.ok(link.startsWith(`${options.endpoint}/${options.bucket}/${options.prefix}/`), link);
      assert.ok((await http(link)).body.equals(blob.bytes));
      const head = await http(server.url + pathOf(blob), { method: 'HEAD' });
      assert.deepEqual([head.status, head.headers['content-length']], [200, String(blob.bytes.length)]);
    }
    const layerDigest = image.layers[1]!.digest;
    const { downloadUrl = '' } = await ecrClient(server.url).getDownloadUrlForLayer({ repositoryName, layerDigest });
    assert.match(downloadUrl, /X-Amz-Expires=3600/);
    assert.ok((await http(downloadUrl)).body.equals(image.layers[1]!.bytes));
    assert.equal((await http(`${server.url}/readyz`)).status, 200);
  });

  it('gives no link to whoever may not read', async () => {
    const options = await newBucket(s3);
    await using server = await startEnforcedServer({ env: environmentOf(options) });
    prepareAccess(server);
    const answer = await http(`${server.url}${pathOf(blobOf('any'))}`);
    assert.deepEqual([answer.status, answer.headers.location], [401, undefined]);
  });

  it('streams layers where clients cannot reach the bucket', async () => {
    const { server } = await started(['--blob-delivery', 'proxy']);
    await using _ = server;
    const image = randomImage([9 * MIB]);
    const [layer = blobOf('')] = image.layers;
    await pushImage(server.url, repositoryName, 'latest', image);
    const whole = await http(server.url + pathOf(layer));
    assert.equal(whole.status, 200);
    assert.ok(whole.body.equals(layer.bytes));
    const part = await http(server.url + pathOf(layer), { headers: { Range: 'bytes=8388600-8388700' } });
    assert.equal(part.status, 206);
    assert.ok(part.body.equals(layer.bytes.subarray(8388600, 8388701)));
    const ecr = ecrClient(server.url);
    const { downloadUrl = '' } = await ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: layer.digest });
    assert.ok(downloadUrl.startsWith(`${server.url}/layers/`), downloadUrl);
    assert.ok((await http(downloadUrl)).body.equals(layer.bytes));
  });

  it('takes layers in parts, one of them small', async () => {
    const { server } = await started();
    await using _ = server;
    const ecr = ecrClient(server.url);
    await ecr.createRepository({ repositoryName });
    const layer = blobOf(randomBytes(21 * MIB));
    await uploadLayer(ecr, repositoryName, layer);
    const { headers } = await http(server.url + pathOf(layer));
    assert.ok((await http(String(headers.location))).body.equals(layer.bytes));
  });

  it('goes on with uploads after it was killed', async () => {
    await using folder = await temporaryFolder();
    const layer = blobOf(randomBytes(30 * MIB));
    const acknowledged = 7 * MIB + 100;
    const { server: first, options } = await started([], folder.path);
    const begun = await http(`${first.url}/v2/${repositoryName}/blobs/uploads/`, { method: 'POST' });
    const place = new URL(String(begun.headers.location), first.url);
    await patched(place.href, layer.bytes.subarray(0, acknowledged));
    const cut = patched(place.href, layer.bytes.subarray(acknowledged, 25 * MIB)).catch(() => undefined);
    while ((await contentOfBucket(options)).multiparts.length === 0) await sleep(5);
    await first.kill();
    await cut;

    await using second = await startServer({ env: environmentOf(options), data: folder.path });
    const again = new URL(place.pathname, second.url);
    const status = await http(again.href);
    const received = Number(/^0-(\d+)$/.exec(String(status.headers.range))?.[1]) + 1;
    assert.ok(received >= acknowledged, `${received} of ${acknowledged}`);
    await patched(again.href, layer.bytes.subarray(received));
    again.searchParams.set('digest', layer.digest);
    assert.equal((await http(again.href, { method: 'PUT' })).status, 201);
    const { headers } = await http(second.url + pathOf(layer));
    assert.ok((await http(String(headers.location))).body.equals(layer.bytes));
  });

  it('collects garbage and verifies, and does neither while it is not told where the bytes are', async () => {
    const { server, options } = await started(['--layer-lease-seconds', '0', '--undo-seconds', '0']);
    await using _ = server;
    const image = randomImage([5000, 6 * MIB]);
    await pushImage(server.url, repositoryName, 'latest', image);
    for (let at = 0; at < 5; at++) await pushBlob(server.url, repositoryName, blobOf(randomBytes(5000 + at * 3 * MIB)));
    const said = await gantry(server, options, 'garbage', '--layer-lease-seconds', '0', '--orphan-seconds', '0');
    assert.match(said, /5 layers that no image uses; deleted 5 blobs and 0 remains/);
    assert.match(await gantry(server, options, 'verify'), /Verified 3 blobs .*all is well/);
    // Config and small layer, and the large one with its name; and the health check's.
    const { objects, multiparts } = await contentOfBucket(options);
    assert.deepEqual([objects.filter((key) => key !== 'ready').length, multiparts], [4, []], objects.join(' '));
    const { code, stderr } = await runGantry(server, {}, ['verify']);
    assert.equal(code, 1);
    assert.match(stderr, /^gantry: The bytes of this registry are elsewhere/);
  });

  it('serves a client that follows links', async (test) => {
    const skopeo = findProgram('skopeo');
    if (skopeo === undefined) return test.skip('skopeo not found');
    const { server } = await started();
    await using _ = server;
    await using folder = await temporaryFolder();
    const image = randomImage([3000, 7 * MIB]);
    await pushImage(server.url, repositoryName, 'latest', image);
    const from = `docker://${server.host}/${repositoryName}:latest`;
    const copy = (to: string) =>
      run([skopeo, 'copy', '--src-tls-verify=false', '--dest-tls-verify=false', '--src-creds', 'AWS:open', from, to]);
    await copy(`dir:${join(folder.path, 'image')}`);
    await run([
      skopeo,
      'copy',
      '--dest-tls-verify=false',
      '--dest-creds',
      'AWS:open',
      `dir:${join(folder.path, 'image')}`,
      `docker://${server.host}/other/image:latest`,
    ]);
    assert.equal((await http(`${server.url}/v2/other/image/manifests/latest`)).status, 200);
  });
});

async function patched(url: string, body: Buffer): Promise<HttpAnswer> {
  const answer = await http(url, { method: 'PATCH', body, headers: { 'Content-Length': body.length } });
  assert.equal(answer.status, 202, answer.text());
  return answer;
}

function runGantry({ data }: RunningServer, env: Record<string, string>, words: readonly string[]): Promise<Ran> {
  return runAny([pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words, '--data', data], { env });
}

async function gantry(server: RunningServer, options: S3BlobStoreOptions, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runGantry(server, environmentOf(options), words);
  assert.equal(code, 0, stderr);
  return stdout;
}
