import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageStatusFilter } from '../../src/core/images/image-records.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import type { ImageIdentifier } from '../../src/core/values/image-reference.ts';
import type { Blob } from '../support/images.ts';
import { eventsOf, imageOf, repositoryName, updateTo } from './archive-world.ts';
import {
  type CoreUnderTest,
  call,
  coreUnderTest,
  kindOf,
  pushLayer,
  readLayer,
  refusalOf,
  stage,
} from './core-under-test.ts';
import { imageManifest, indexManifest, pushedImage, tagsOf } from './manifests.ts';

const NOT_SUPPORTED = 'image-storage-class-update-not-supported';

async function reasonOf(work: Promise<unknown>): Promise<string> {
  const outcome = await refusalOf(work);
  assert.ok('refusal' in outcome && outcome.refusal.kind === NOT_SUPPORTED);
  return outcome.refusal.reason;
}

const put = ({ images }: CoreUnderTest, manifest: Blob, more: { tag?: string; idempotent?: boolean } = {}) =>
  images.put(call, { repositoryName, manifest: manifest.bytes, ...more });

async function digestsWith({ images }: CoreUnderTest, imageStatus: ImageStatusFilter): Promise<string[]> {
  const page = { repositoryName, tagStatus: 'ANY', imageStatus, limit: 100 } as const;
  const described = (await images.describe(call, { ...page, after: '' })).images.map(({ digest }) => digest);
  const listed = (await images.list(call, page)).images.map(({ digest }) => digest);
  assert.deepEqual([...new Set(listed)], described);
  return described;
}

test('an archived image is not pulled by any way, and is listed for those who ask', async () => {
  await using core = await coreUnderTest();
  const archived = await pushedImage(core, repositoryName, 'a', 'old');
  const active = await pushedImage(core, repositoryName, 'b', 'new');
  assert.deepEqual(await updateTo(core, 'ARCHIVE', { imageTag: 'old' }), {
    imageId: { imageDigest: archived.digest, imageTag: 'old' },
    status: 'ARCHIVED',
  });
  for (const reference of [{ tag: 'old' }, { digest: archived.digest }]) {
    const outcome = await refusalOf(core.images.getManifest(call, { repositoryName, reference }));
    assert.ok('refusal' in outcome && outcome.refusal.kind === 'image-archived');
    assert.equal(outcome.refusal.status, 'ARCHIVED');
  }
  const imageIds = [{ imageTag: 'old' }, { imageDigest: archived.digest }, { imageTag: 'new' }];
  const got = await core.images.getMany(call, { repositoryName, imageIds });
  assert.deepEqual(
    got.failures.map(({ imageId, code }) => [imageId, code]),
    imageIds.slice(0, 2).map((id) => [id, 'ImageInaccessible']),
  );
  assert.match(got.failures[0]!.reason, /^Requested image is archived; restore it with UpdateImageStorageClass/);
  assert.deepEqual(await digestsWith(core, 'ACTIVE'), [active.digest]);
  assert.deepEqual(await digestsWith(core, 'ARCHIVED'), [archived.digest]);
  assert.deepEqual(await digestsWith(core, 'ACTIVATING'), []);
  assert.deepEqual((await digestsWith(core, 'ANY')).length, 2);
  assert.deepEqual(await tagsOf(core, repositoryName), ['new']);
  const { status, archivedAt, activatedAt, tags } = await imageOf(core, archived.digest);
  assert.deepEqual([status, archivedAt, activatedAt, tags], ['ARCHIVED', core.dependencies.now(), undefined, ['old']]);
});

test('an image is restored at once where no byte went away, and is as before but for its times', async () => {
  await using core = await coreUnderTest();
  const { digest, bytes } = await pushedImage(core, repositoryName, 'a', 'v1');
  await updateTo(core, 'ARCHIVE', { imageDigest: digest });
  const archivedAt = core.dependencies.now();
  core.pass(60);
  assert.equal((await updateTo(core, 'STANDARD', { imageTag: 'v1', imageDigest: digest })).status, 'ACTIVE');
  const manifest = await core.images.getManifest(call, { repositoryName, reference: { tag: 'v1' } });
  assert.deepEqual(Buffer.from(manifest.bytes), bytes);
  const image = await imageOf(core, digest);
  assert.deepEqual([image.status, image.archivedAt], ['ACTIVE', archivedAt]);
  assert.deepEqual(image.activatedAt, core.dependencies.now());
  const events = (await eventsOf(core)).slice(-2);
  assert.deepEqual(
    events.map((event) => ({ ...event, mediaType: '', artifactType: '' })),
    [
      { kind: 'image-archived', repositoryName, digest, mediaType: '', artifactType: '' },
      {
        kind: 'image-restored',
        repositoryName,
        digest,
        mediaType: '',
        artifactType: '',
        activatedAt: core.dependencies.now().toISOString(),
      },
    ],
  );
});

test('a change of class that changes nothing, or cannot be, is refused with its reason', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushedImage(core, repositoryName, 'a', 'v1');
  const name = `The image with imageId {imageDigest:'null', imageTag:'v1'} in the repository with name 'one' in the registry with id '111122223333'`;
  assert.equal(await reasonOf(updateTo(core, 'STANDARD', { imageTag: 'v1' })), `${name} is not archived`);
  await updateTo(core, 'ARCHIVE', { imageTag: 'v1' });
  assert.equal(await reasonOf(updateTo(core, 'ARCHIVE', { imageTag: 'v1' })), `${name} is archived already`);
  const { id } = await imageOf(core, digest);
  await core.dependencies.metadata.transaction('alone', ({ images }) => images.setStatus(id, { status: 'ACTIVATING' }));
  assert.match(await reasonOf(updateTo(core, 'ARCHIVE', { imageTag: 'v1' })), /is being restored .* once its status/);
  assert.match(await reasonOf(updateTo(core, 'STANDARD', { imageTag: 'v1' })), /is being restored .* already$/);
  const reference = { tag: 'v1' };
  const outcome = await refusalOf(core.images.getManifest(call, { repositoryName, reference }));
  assert.ok('refusal' in outcome && outcome.refusal.kind === 'image-archived');
  assert.equal(outcome.refusal.status, 'ACTIVATING');
});

test('the image must be named well, and be there', async () => {
  await using core = await coreUnderTest();
  await pushedImage(core, repositoryName, 'a', 'v1');
  const other = await pushedImage(core, repositoryName, 'b', 'v2');
  const cases: [ImageIdentifier, string][] = [
    [{}, 'invalid-parameter'],
    [{ imageTag: '-' }, 'invalid-parameter'],
    [{ imageDigest: 'sha256' }, 'invalid-parameter'],
    [{ imageTag: 'v3' }, 'image-not-found'],
    [{ imageTag: 'v1', imageDigest: other.digest }, 'image-not-found'],
  ];
  for (const [imageId, kind] of cases) {
    assert.equal(await kindOf(updateTo(core, 'ARCHIVE', imageId)), kind, JSON.stringify(imageId));
  }
  const elsewhere = { repositoryName: 'nowhere', imageId: { imageTag: 'v1' }, storageClass: 'ARCHIVE' } as const;
  assert.equal(await kindOf(core.images.updateStorageClass(call, elsewhere)), 'repository-not-found');
});

test('what an index lists is archived after the index, and restored with it', async () => {
  await using core = await coreUnderTest();
  const child = await pushedImage(core, repositoryName, 'child', 'child');
  const inner = indexManifest([child]);
  await put(core, inner);
  const outer = indexManifest([inner]);
  await put(core, outer, { tag: 'outer' });
  const statuses = async () =>
    Promise.all([outer, inner, child].map(async ({ digest }) => (await imageOf(core, digest)).status));

  const reason = await reasonOf(updateTo(core, 'ARCHIVE', { imageTag: 'child' }));
  assert.ok(reason.includes(`not archived: [${inner.digest}]`), reason);
  for (const { digest } of [outer, inner, child]) await updateTo(core, 'ARCHIVE', { imageDigest: digest });
  assert.deepEqual(await statuses(), ['ARCHIVED', 'ARCHIVED', 'ARCHIVED']);
  assert.equal((await updateTo(core, 'STANDARD', { imageTag: 'outer' })).status, 'ACTIVE');
  assert.deepEqual(await statuses(), ['ACTIVE', 'ACTIVE', 'ACTIVE']);

  for (const { digest } of [outer, inner, child]) await updateTo(core, 'ARCHIVE', { imageDigest: digest });
  await put(core, outer, { tag: 'outer', idempotent: true });
  assert.deepEqual(await statuses(), ['ACTIVE', 'ACTIVE', 'ACTIVE']);

  for (const { digest } of [outer, inner, child]) await updateTo(core, 'ARCHIVE', { imageDigest: digest });
  await put(core, indexManifest([child], { annotations: { new: 'yes' } }), { tag: 'another' });
  assert.deepEqual(await statuses(), ['ARCHIVED', 'ARCHIVED', 'ACTIVE']);
});

test('layers that only archived images use are not given out', async () => {
  await using core = await coreUnderTest();
  const [shared, own, config] = [
    await pushLayer(core, repositoryName, 'shared'),
    await pushLayer(core, repositoryName, 'own'),
    await pushLayer(core, repositoryName, 'config'),
  ];
  await put(core, imageManifest(config, [shared, own]), { tag: 'old' });
  await put(core, imageManifest(await pushLayer(core, repositoryName, 'config 2'), [shared]), { tag: 'new' });
  await updateTo(core, 'ARCHIVE', { imageTag: 'old' });
  const availability = async () => {
    const digests = [shared, own, config].map(({ digest }) => digest);
    const { layers } = await core.layers.checkAvailability(call, { repositoryName, digests });
    return layers.map((layer) => `${layer.availability} ${layer.bytes}`);
  };
  assert.deepEqual(await availability(), ['AVAILABLE 6', 'ARCHIVED 3', 'ARCHIVED 6']);
  const open = (digest: string) => kindOf(core.layers.open(call, { repositoryName, digest }));
  assert.deepEqual([await open(shared.digest), await open(own.digest)], ['none', 'layer-archived']);
  const link = { repositoryName, digest: own.digest };
  assert.equal(await kindOf(core.links.create(call, link)), 'layer-archived');
  assert.equal(await kindOf(core.layers.delete(call, link)), 'layer-in-use');
  await updateTo(core, 'STANDARD', { imageTag: 'old' });
  assert.deepEqual(await availability(), ['AVAILABLE 6', 'AVAILABLE 3', 'AVAILABLE 6']);
  const { path } = await core.links.create(call, link);
  await updateTo(core, 'ARCHIVE', { imageTag: 'old' });
  assert.equal(await kindOf(core.links.open(path)), 'layer-archived');
});

test('a push restores at once, by both faces, without the layers being sent again', async () => {
  await using core = await coreUnderTest();
  const manifest = await pushedImage(core, repositoryName, 'a', 'v1');
  for (const idempotent of [true, false]) {
    await updateTo(core, 'ARCHIVE', { imageTag: 'v1' });
    core.pass(10);
    assert.equal((await put(core, manifest, { tag: 'v1', idempotent })).digest, manifest.digest);
    const { status, activatedAt } = await imageOf(core, manifest.digest);
    assert.deepEqual([status, activatedAt], ['ACTIVE', core.dependencies.now()]);
    await core.images.getManifest(call, { repositoryName, reference: { tag: 'v1' } });
  }
  assert.equal(await kindOf(put(core, manifest, { tag: 'v1' })), 'image-already-exists');
  await updateTo(core, 'ARCHIVE', { imageTag: 'v1' });
  await put(core, manifest);
  await updateTo(core, 'ARCHIVE', { imageTag: 'v1' });
  await put(core, manifest, { tag: 'v2' });
  assert.deepEqual(await tagsOf(core, repositoryName), ['v1', 'v2']);
  const kinds = (await eventsOf(core)).map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === 'image-restored').length, 4);
  assert.equal(kinds.filter((kind) => kind === 'image-pushed').length, 2);
});

test('a layer that is pushed again is there for its pusher, before its image is', async () => {
  await using core = await coreUnderTest();
  const layer = await pushLayer(core, repositoryName, 'layer');
  const config = await pushLayer(core, repositoryName, 'config');
  await put(core, imageManifest(config, [layer]), { tag: 'v1' });
  await updateTo(core, 'ARCHIVE', { imageTag: 'v1' });
  assert.equal(await readLayer(core, repositoryName, layer.digest), undefined);
  assert.equal(await readLayer(core, repositoryName, config.digest), undefined);

  await pushLayer(core, repositoryName, 'layer');
  assert.equal((await readLayer(core, repositoryName, layer.digest))?.toString(), 'layer');
  const upload = await stage(core, repositoryName, config.bytes);
  await core.uploads.complete(call, { ...upload, digests: [config.digest] });
  assert.equal((await readLayer(core, repositoryName, config.digest))?.toString(), 'config');

  await updateTo(core, 'STANDARD', { imageTag: 'v1' });
  const again = await stage(core, repositoryName, config.bytes);
  const complete = core.uploads.complete(call, { ...again, digests: [config.digest] });
  assert.equal(await kindOf(complete), 'layer-already-exists');
  await updateTo(core, 'ARCHIVE', { imageTag: 'v1' });
  assert.equal(await readLayer(core, repositoryName, layer.digest), undefined);
});

test('a layer of archived images is mounted where it is asked for', async () => {
  await using core = await coreUnderTest();
  const layer = await pushLayer(core, repositoryName, 'layer');
  await put(core, imageManifest(layer, []), { tag: 'v1' });
  await updateTo(core, 'ARCHIVE', { imageTag: 'v1' });
  const digest = layer.digest as Digest;
  assert.equal(await core.uploads.mount(call, { repositoryName: 'two', from: repositoryName, digest }), true);
  assert.equal((await readLayer(core, 'two', digest))?.toString(), 'layer');
  assert.equal(await readLayer(core, repositoryName, digest), undefined);
  assert.equal(await core.uploads.mount(call, { repositoryName, from: 'two', digest }), true);
  assert.equal((await readLayer(core, repositoryName, digest))?.toString(), 'layer');
});

test('immutable tags hold while their image is archived, and do not hinder it from being pushed again', async () => {
  await using core = await coreUnderTest();
  await core.repositories.putTagMutability(call, {
    repositoryName,
    imageTagMutability: 'IMMUTABLE',
    exclusionFilters: [],
  });
  const manifest = await pushedImage(core, repositoryName, 'a', 'v1');
  const other = await pushedImage(core, repositoryName, 'b', 'v2');
  await updateTo(core, 'ARCHIVE', { imageTag: 'v1' });
  assert.equal(await kindOf(put(core, other, { tag: 'v1' })), 'image-tag-already-exists');
  assert.equal((await imageOf(core, manifest.digest)).status, 'ARCHIVED');
  await put(core, manifest, { tag: 'v1' });
  assert.equal((await imageOf(core, manifest.digest)).status, 'ACTIVE');
});

test('an archived image is deleted like any other', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushedImage(core, repositoryName, 'a', 'v1');
  const other = await pushedImage(core, repositoryName, 'b');
  for (const imageDigest of [digest, other.digest]) await updateTo(core, 'ARCHIVE', { imageDigest });
  const imageIds = [{ imageTag: 'v1' }, { imageDigest: other.digest }];
  const deleted = await core.images.deleteMany(call, { repositoryName, imageIds });
  assert.deepEqual([deleted.imageIds.length, deleted.failures], [2, []]);
  assert.deepEqual(await digestsWith(core, 'ANY'), []);
});
