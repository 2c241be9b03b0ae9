import assert from 'node:assert/strict';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BlobStore } from '../../src/core/blob-store.ts';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { verifyStore } from '../../src/core/garbage/verify-store.ts';
import { restoreBytes } from '../../src/core/images/archive-bytes.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { type ArchiveWorld, archiveWorld, eventsOf, imageOf, repositoryName, updateTo } from './archive-world.ts';
import { call, LEASE_SECONDS, ORPHAN_SECONDS, pushLayer, readLayer } from './core-under-test.ts';
import { imageManifest, indexManifest, pushedImage } from './manifests.ts';

/** How many blobs lie in each of the two folders. */
async function counts({ folders }: ArchiveWorld): Promise<{ data: number; archive: number }> {
  const filesIn = async (folder: string) => {
    const entries = await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).length;
  };
  return { data: await filesIn(folders.data), archive: await filesIn(folders.archive) };
}

const statusOf = async (world: ArchiveWorld, digest: string) => (await imageOf(world, digest)).status;

test('the bytes of an archived image move, but for those that another image uses', async () => {
  await using world = await archiveWorld();
  const shared = await pushLayer(world, repositoryName, 'shared');
  const old = imageManifest(await pushLayer(world, repositoryName, 'old'), [shared]);
  const young = imageManifest(await pushLayer(world, repositoryName, 'young'), [shared]);
  await world.images.put(call, { repositoryName, manifest: old.bytes, tag: 'old' });
  await world.images.put(call, { repositoryName, manifest: young.bytes, tag: 'young' });
  await updateTo(world, 'ARCHIVE', { imageTag: 'old' });
  assert.deepEqual(await counts(world), { data: 3, archive: 0 });
  assert.deepEqual(await world.work(), []);
  assert.deepEqual(await counts(world), { data: 2, archive: 1 });
  await updateTo(world, 'ARCHIVE', { imageTag: 'young' });
  assert.deepEqual(await world.work(), []);
  assert.deepEqual(await counts(world), { data: 0, archive: 3 });
  assert.deepEqual((await verifyStore(world.dependencies)).problems, []);
});

test('an image that is restored is called active when all its bytes are back', async () => {
  await using world = await archiveWorld();
  const { digest } = await pushedImage(world, repositoryName, 'a', 'v1');
  await updateTo(world, 'ARCHIVE', { imageTag: 'v1' });
  await world.work();
  assert.equal((await updateTo(world, 'STANDARD', { imageTag: 'v1' })).status, 'ACTIVATING');
  const before = await imageOf(world, digest);
  assert.deepEqual([before.status, before.activatedAt], ['ACTIVATING', undefined]);
  assert.equal((await eventsOf(world)).at(-1)?.kind, 'image-archived');
  world.pass(60);
  assert.deepEqual(await world.work(), []);
  assert.deepEqual(await counts(world), { data: 2, archive: 0 });
  const after = await imageOf(world, digest);
  assert.deepEqual([after.status, after.activatedAt], ['ACTIVE', world.dependencies.now()]);
  const restored = (await eventsOf(world)).at(-1)!;
  assert.ok(restored.kind === 'image-restored' && restored.activatedAt === after.activatedAt?.toISOString());
});

test('an index waits for the bytes of what it lists', async () => {
  await using world = await archiveWorld();
  const child = await pushedImage(world, repositoryName, 'a', 'child');
  const index = indexManifest([child]);
  await world.images.put(call, { repositoryName, manifest: index.bytes, tag: 'index' });
  for (const imageTag of ['index', 'child']) await updateTo(world, 'ARCHIVE', { imageTag });
  await world.work();
  assert.equal((await updateTo(world, 'STANDARD', { imageTag: 'index' })).status, 'ACTIVATING');
  assert.equal(await statusOf(world, child.digest), 'ACTIVATING');
  const { repositoryId } = await imageOf(world, index.digest);
  const payload = { repositoryId, digest: index.digest as Digest };
  await restoreBytes(world.dependencies, payload, new AbortController().signal);
  assert.deepEqual(await counts(world), { data: 2, archive: 0 });
  assert.deepEqual([await statusOf(world, index.digest), await statusOf(world, child.digest)], ['ACTIVE', 'ACTIVE']);
  assert.deepEqual(await world.work(), []);
  const restored = (await eventsOf(world)).filter(({ kind }) => kind === 'image-restored');
  assert.equal(restored.length, 2);
});

test('an image that is pushed again is pulled from the archive until its bytes are back', async () => {
  await using world = await archiveWorld();
  const manifest = await pushedImage(world, repositoryName, 'a', 'v1');
  const layer = await pushLayer(world, repositoryName, 'layer a');
  await updateTo(world, 'ARCHIVE', { imageTag: 'v1' });
  await world.work();
  await world.images.put(call, { repositoryName, manifest: manifest.bytes, tag: 'v1', idempotent: true });
  assert.equal(await statusOf(world, manifest.digest), 'ACTIVE');
  assert.deepEqual(await counts(world), { data: 0, archive: 2 });
  assert.equal((await readLayer(world, repositoryName, layer.digest))?.toString(), 'layer a');
  assert.deepEqual(await world.work(), []);
  assert.deepEqual(await counts(world), { data: 2, archive: 0 });
  const restored = (await eventsOf(world)).filter(({ kind }) => kind === 'image-restored');
  assert.equal(restored.length, 1);
});

test('a new image upon archived layers brings them back, also in another repository', async () => {
  await using world = await archiveWorld();
  const old = await pushedImage(world, repositoryName, 'a', 'v1');
  await updateTo(world, 'ARCHIVE', { imageTag: 'v1' });
  await world.work();
  const [layer, config] = [await pushLayer(world, 'two', 'layer a'), await pushLayer(world, 'two', 'other config')];
  assert.deepEqual(await counts(world), { data: 1, archive: 2 });
  const manifest = imageManifest(config, [layer]).bytes;
  await world.images.put(call, { repositoryName: 'two', manifest, tag: 'v1' });
  assert.deepEqual(await world.work(), []);
  assert.deepEqual(await counts(world), { data: 2, archive: 1 });
  assert.equal(await statusOf(world, old.digest), 'ARCHIVED');
});

test('an image whose bytes are nowhere is not called active', async () => {
  await using world = await archiveWorld();
  const { digest } = await pushedImage(world, repositoryName, 'a', 'v1');
  await updateTo(world, 'ARCHIVE', { imageTag: 'v1' });
  await world.work();
  const blobs = join(world.folders.archive, 'blobs');
  await rename(blobs, `${blobs}.unmounted`);
  await updateTo(world, 'STANDARD', { imageTag: 'v1' });
  const [failure] = await world.work();
  assert.match(failure!, /has no bytes at .*, here or archived/);
  assert.equal(await statusOf(world, digest), 'ACTIVATING');
  await rename(`${blobs}.unmounted`, blobs);
  const { jobs } = world.dependencies.metadata.read;
  for (const { id } of await jobs.dead('restore-image', 0, 10)) {
    await world.dependencies.metadata.transaction('alone', (records) =>
      records.jobs.revive(id, world.dependencies.now()),
    );
  }
  assert.deepEqual(await world.work(), []);
  assert.equal(await statusOf(world, digest), 'ACTIVE');
});

test('without an archive the bytes stay, and an image is back at once', async () => {
  await using world = await archiveWorld({ hasArchive: false });
  await pushedImage(world, repositoryName, 'a', 'v1');
  await updateTo(world, 'ARCHIVE', { imageTag: 'v1' });
  assert.deepEqual(await world.work(), []);
  assert.deepEqual(await counts(world), { data: 2, archive: 0 });
  assert.equal((await updateTo(world, 'STANDARD', { imageTag: 'v1' })).status, 'ACTIVE');
});

test('an image that is gone, or in another class by then, makes no trouble', async () => {
  await using world = await archiveWorld();
  const { digest: imageDigest } = await pushedImage(world, repositoryName, 'a', 'v1');
  await updateTo(world, 'ARCHIVE', { imageDigest });
  await updateTo(world, 'STANDARD', { imageDigest });
  assert.deepEqual(await world.work(), []);
  assert.deepEqual(await counts(world), { data: 2, archive: 0 });
  await updateTo(world, 'ARCHIVE', { imageDigest });
  await world.work();
  await updateTo(world, 'STANDARD', { imageDigest });
  await world.images.deleteMany(call, { repositoryName, imageIds: [{ imageDigest }] });
  assert.deepEqual(await world.work(), []);
});

test('garbage collection takes archived bytes like any other', async () => {
  await using world = await archiveWorld();
  const { digest: imageDigest } = await pushedImage(world, repositoryName, 'a');
  await updateTo(world, 'ARCHIVE', { imageDigest });
  await world.work();
  await world.images.deleteMany(call, { repositoryName, imageIds: [{ imageDigest }] });
  world.pass(LEASE_SECONDS + 1);
  assert.equal((await collectGarbage(world.dependencies)).blobs, 2);
  assert.deepEqual(await counts(world), { data: 0, archive: 0 });
});

test('verification finds what the archive has lost', async () => {
  await using world = await archiveWorld();
  await pushedImage(world, repositoryName, 'a', 'v1');
  await updateTo(world, 'ARCHIVE', { imageTag: 'v1' });
  await world.work();
  await rm(join(world.folders.archive, 'blobs'), { recursive: true });
  assert.equal((await verifyStore(world.dependencies)).problems.length, 2);
});

test('orphans in the archive are taken', async () => {
  await using world = await archiveWorld();
  const uploadId = '00000000-0000-4000-8000-000000000000';
  const { blobs } = world.dependencies;
  const location = await blobs.seal(uploadId, await blobs.digest(uploadId, 'sha256'), 0);
  await blobs.archive!(location!);
  world.pass(365 * 24 * 3600 + ORPHAN_SECONDS);
  assert.equal((await collectGarbage(world.dependencies)).orphans, 1);
  assert.deepEqual(await counts(world), { data: 0, archive: 0 });
});

/** Does something once, just when bytes are about to move or have just moved. */
function meddling(when: 'before' | 'after', meddle: () => Promise<unknown>) {
  let isDone = false;
  return (blobs: BlobStore): BlobStore =>
    new Proxy(blobs, {
      get(store, name) {
        if (name !== 'archive') {
          const member = Reflect.get(store, name, store);
          return typeof member === 'function' ? member.bind(store) : member;
        }
        return async (location: string) => {
          const meddled = isDone ? undefined : meddle;
          isDone = true;
          if (when === 'before') await meddled?.();
          const moved = await store.archive!(location);
          if (when === 'after') await meddled?.();
          return moved;
        };
      },
    });
}

for (const when of ['before', 'after'] as const) {
  test(`a push that comes just ${when} bytes move has them where they belong in the end`, async () => {
    let repush: (() => Promise<unknown>) | undefined;
    await using world = await archiveWorld({ alter: meddling(when, async () => repush?.()) });
    const manifest = await pushedImage(world, repositoryName, 'a', 'v1');
    repush = async () => {
      await world.images.put(call, { repositoryName, manifest: manifest.bytes, tag: 'v1', idempotent: true });
      // Another server does the job that brings the bytes back, while this one still moves them.
      assert.deepEqual(await world.work(), []);
    };
    await updateTo(world, 'ARCHIVE', { imageTag: 'v1' });
    assert.deepEqual(await world.work(), []);
    assert.equal(await statusOf(world, manifest.digest), 'ACTIVE');
    assert.deepEqual(await counts(world), { data: 2, archive: 0 });
    assert.deepEqual(await world.dependencies.metadata.read.blobs.archived(0, 10), []);
  });
}
