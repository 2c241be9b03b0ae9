import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CachingWorld, cachingWorld, pull, randomImage, recorded } from '../support/caching-world.ts';
import { needsFolder } from '../support/cluster-mode.ts';
import { http } from '../support/http.ts';
import { blobOf, descriptor, mediaTypes } from '../support/images.ts';
import { imageOf } from '../support/scanned-images.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { isInFolder } from './aws-kms-world.ts';
import { gantryOn } from './gantry-command.ts';
import { until } from './until.ts';

const skip = needsFolder('the store of these tests encrypts under no master key');

describe('a layer that is encrypted as it comes through the cache', { skip }, () => {
  let folder: TemporaryFolder;
  let world: CachingWorld;
  before(async () => {
    folder = await temporaryFolder();
    const file = join(folder.path, 'master.key');
    await writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600 });
    world = await cachingWorld({ args: ['--master-key-file', file] });
  });
  after(async () => {
    await world[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it('is given to all who ask, however late, as far as it is here', async () => {
    const mark = randomBytes(30).toString('hex');
    const layer = blobOf(Buffer.concat([Buffer.from(mark), randomBytes(14_000_000), Buffer.from(mark)]));
    const image = imageOf(blobOf('{}'), [layer], [descriptor(mediaTypes.layer, layer)]);
    // More than is kept in memory where what is staged cannot be read.
    const come = 12_000_123;
    world.upstream.add('slow', image, 'v1');
    const { promise: go, resolve } = Promise.withResolvers<void>();
    world.upstream.trouble(/\/slow\/blobs\//, async (request, response) => {
      const isLayer = request.url?.includes(layer.digest);
      const { bytes } = isLayer ? layer : image.config;
      response.writeHead(200, { 'Content-Length': bytes.length });
      if (!isLayer) return response.end(bytes);
      response.write(bytes.subarray(0, come));
      await go;
      response.end(bytes.subarray(come));
    });
    await world.get('hub/slow/manifests/v1');
    const url = `${world.server.url}/v2/hub/slow/blobs/${layer.digest}`;
    const signal = AbortSignal.timeout(20_000);
    const begin = async () => reading((await fetch(url, { signal })).body!.getReader());
    const first = await begin();
    assert.ok((await first(come)).equals(layer.bytes.subarray(0, come)));
    // What it reads from the start on is on the disk alone by now.
    const late = await begin();
    assert.ok((await late(come)).equals(layer.bytes.subarray(0, come)));
    assert.equal(await isInFolder(world.server, mark), false);
    resolve();
    for (const read of [first, late]) {
      assert.ok((await read(layer.bytes.length - come)).equals(layer.bytes.subarray(come)));
      assert.equal((await read(1)).length, 0);
    }
    await recorded(world, 'hub/slow', image.manifest.digest);
    assert.equal(world.upstream.count(new RegExp(`/slow/blobs/${layer.digest}`)), 1);
    assert.ok((await http(url)).body.equals(layer.bytes));
    assert.equal(await isInFolder(world.server, mark), false);
  });

  it('is whole for each of many who ask at once', async () => {
    const image = randomImage([8 * 1024 * 1024, 2_000_001, 65_536, 1]);
    world.upstream.add('crowd', image, 'v1');
    await Promise.all(Array.from({ length: 20 }, () => pull(world, 'hub/crowd', 'v1')));
    await recorded(world, 'hub/crowd', image.manifest.digest);
    for (const { digest } of image.layers) assert.equal(world.upstream.count(new RegExp(`/crowd/blobs/${digest}`)), 1);
    await pull(world, 'hub/crowd', 'v1');
  });
});

it('an image that the cache keeps under a key is given while the key can be used, and when it can be again', {
  skip,
}, async () => {
  await using world = await cachingWorld();
  const { upstream, server, ecr } = world;
  const gantry = gantryOn(server.data);
  const key = (await gantry('kms', 'create')).trim();
  const encryptionConfiguration = { encryptionType: 'KMS', kmsKey: key } as const;
  const template = { prefix: 'hub', appliedFor: ['PULL_THROUGH_CACHE' as const], encryptionConfiguration };
  await ecr.createRepositoryCreationTemplate(template);
  const [known, later, other] = [randomImage([100_000]), randomImage([3_000_000]), randomImage()];
  upstream.add('app', known, 'v1');
  await pull(world, 'hub/app', 'v1');
  await recorded(world, 'hub/app', known.manifest.digest);
  upstream.add('app', later, 'v2');
  upstream.add('other', other, 'v1');
  await gantry('kms', 'disable', key);
  const paths = ['app/manifests/v1', `app/blobs/${known.layers[0]?.digest}`, 'app/manifests/v2', 'other/manifests/v1'];
  for (const path of paths) {
    const answer = await world.get(`hub/${path}`);
    assert.equal(answer.status, 400, `${path}: ${answer.text()}`);
    assert.match(answer.text(), new RegExp(`"DENIED".*${key} is disabled`));
  }
  await gantry('kms', 'enable', key);
  // An upstream is not asked twice within a second for what could not be kept.
  await until(async () => (await world.get('hub/other/manifests/v1')).status === 200);
  for (const [name, tag, image] of [
    ['hub/app', 'v1', known],
    ['hub/app', 'v2', later],
    ['hub/other', 'v1', other],
  ] as const) {
    await pull(world, name, tag);
    await recorded(world, name, image.manifest.digest);
  }
  assert.match(await gantry('verify'), /^Verified .*: all is well/m);
});

/** Reads so many bytes, or fewer at the end. */
function reading(reader: ReadableStreamDefaultReader<Uint8Array>) {
  let left: Buffer = Buffer.alloc(0);
  return async (bytes: number): Promise<Buffer> => {
    const parts = [left];
    for (let missing = bytes - left.length; missing > 0; ) {
      const { value, done } = await reader.read();
      if (done) break;
      parts.push(Buffer.from(value));
      missing -= value.length;
    }
    const all = Buffer.concat(parts);
    left = all.subarray(bytes);
    return all.subarray(0, bytes);
  };
}
