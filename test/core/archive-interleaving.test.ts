import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { verifyStore } from '../../src/core/garbage/verify-store.ts';
import type { Layer } from '../../src/core/layers/layer-records.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { type ArchiveWorld, archiveWorld, repositoryName, updateTo } from './archive-world.ts';
import { call, pushLayer, refusalOf } from './core-under-test.ts';
import { imageManifest } from './manifests.ts';

const IMAGES = 6;
const CLIENTS = 3;
const STEPS = 40;

/** Images that share their layers: each has two of four, and a config of its own. */
async function manifestsIn(world: ArchiveWorld) {
  const layers = await Promise.all(['a', 'b', 'c', 'd'].map((word) => pushLayer(world, repositoryName, word)));
  const manifests = [];
  for (let index = 0; index < IMAGES; index++) {
    const config = await pushLayer(world, repositoryName, `config ${index}`);
    const own = [layers[index % 4]!, layers[(index + 1 + (index % 2)) % 4]!];
    manifests.push({ tag: `v${index}`, manifest: imageManifest(config, own), blobs: [config, ...own] });
  }
  return manifests;
}

test('images that are archived, restored and pushed by many at once have their bytes where they belong', async () => {
  await using world = await archiveWorld();
  const images = await manifestsIn(world);
  const push = ({ manifest, tag }: (typeof images)[number]) =>
    world.images.put(call, { repositoryName, manifest: manifest.bytes, tag, idempotent: true });
  for (const image of images) await push(image);

  let random = 7;
  const below = (limit: number) => {
    random = (random * 48271) % 2147483647;
    return random % limit;
  };
  let areBusy = true;
  const clients = Array.from({ length: CLIENTS }, async () => {
    for (let step = 0; step < STEPS; step++) {
      const image = images[below(IMAGES)]!;
      const imageId = { imageTag: image.tag };
      const action = below(4);
      if (action < 2) await refusalOf(updateTo(world, 'ARCHIVE', imageId));
      else if (action === 2) await refusalOf(updateTo(world, 'STANDARD', imageId));
      else await push(image);
      const manifest = await refusalOf(
        world.images.getManifest(call, { repositoryName, reference: { tag: image.tag } }),
      );
      if ('value' in manifest) await readIfThere(world, image.blobs[below(3)]!.digest);
    }
  });
  const workers = Array.from({ length: 2 }, async () => {
    for (; areBusy; await setImmediate()) assert.deepEqual(await world.work(), []);
  });
  await Promise.all(clients);
  areBusy = false;
  await Promise.all(workers);
  assert.deepEqual(await world.work(), []);
  assert.deepEqual((await verifyStore(world.dependencies)).problems, []);
  await assertPlaces(world, images);
  for (const image of images) await push(image);
  assert.deepEqual(await world.work(), []);
  await assertPlaces(world, images);
});

/** Whoever was let in reads all of it, wherever the bytes go meanwhile. */
async function readIfThere({ layers }: ArchiveWorld, digest: string): Promise<void> {
  const opened = await refusalOf(layers.open(call, { repositoryName, digest }));
  if ('refusal' in opened) return;
  await using reader = await opened.value.read();
  let bytes = 0;
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    bytes += chunk.byteLength;
    reader.recycle(chunk);
  }
  assert.equal(bytes, opened.value.bytes);
}

/** A blob is in one folder, as its mark says; the data folder, if an image that is not archived uses it. */
async function assertPlaces(
  world: ArchiveWorld,
  images: readonly { tag: string; manifest: { digest: string }; blobs: readonly { digest: string }[] }[],
): Promise<void> {
  const { metadata } = world.dependencies;
  for (const { tag, manifest, blobs } of images) {
    const [image] = await world.images.describeMany(call, { repositoryName, imageIds: [{ imageTag: tag }] });
    assert.equal(image?.digest, manifest.digest);
    assert.notEqual(image.status, 'ACTIVATING');
    for (const { digest } of blobs) {
      const layer: Layer = (await metadata.read.layers.find(image.repositoryId, digest as Digest))!;
      const found = [world.folders.data, world.folders.archive].map((folder) =>
        existsSync(join(folder, 'blobs', layer.location)),
      );
      assert.deepEqual(found, [!layer.archived, layer.archived], `${digest} of ${tag}`);
      if (image.status === 'ACTIVE') assert.equal(layer.archived, false, `${digest} of ${tag}, which is active`);
      else if (layer.dormant) assert.equal(layer.archived, true, `${digest} of ${tag}, which alone uses it`);
    }
  }
}
