import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { followSubject } from '../../src/core/images/follow-subject.ts';
import { applyLifecycle } from '../../src/core/lifecycle/apply-lifecycle.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { type Blob, descriptor, mediaTypes } from '../support/images.ts';
import { call, kindOf, partsOver, pushLayer, stage } from './core-under-test.ts';
import {
  DAY_SECONDS,
  type HistoryUnderTest,
  historyUnderTest,
  repositoryName,
  UNDO_SECONDS,
} from './history-under-test.ts';
import { imageManifest, indexManifest, pushedImage, tagsOf } from './manifests.ts';

async function detailOf({ core }: HistoryUnderTest, digest: string) {
  const [found] = await core.images.describeMany(call, { repositoryName, imageIds: [{ imageDigest: digest }] });
  return found!;
}

const reachable = async ({ core }: HistoryUnderTest, digest: string) =>
  (await kindOf(core.images.getManifest(call, { repositoryName, reference: { digest } }))) === 'none';

const listed = async ({ history }: HistoryUnderTest) =>
  (await history.deleted(call, { repositoryName, after: '', limit: 100 })).images.map(({ digest }) => digest);

const restoreImage = ({ history }: HistoryUnderTest, digest: string) =>
  history.restoreImage(call, { repositoryName, digest });

/** An image that refers to another; its tag is optional. */
async function pushedReferrer({ core }: HistoryUnderTest, subject: Blob, word: string, tag?: string): Promise<Blob> {
  const config = await pushLayer(core, repositoryName, `config ${word}`);
  const layer = await pushLayer(core, repositoryName, `layer ${word}`);
  const manifest = imageManifest(config, [layer], { subject: descriptor(mediaTypes.manifest, subject) });
  await core.images.put(call, { repositoryName, manifest: manifest.bytes, ...(tag !== undefined && { tag }) });
  return manifest;
}

/** What the server's jobs do once an image is gone. */
async function follow({ core }: HistoryUnderTest, ...subjects: Blob[]): Promise<void> {
  const { id: repositoryId } = await core.repositories.get(call, repositoryName);
  for (const { digest } of subjects) {
    const following = { repositoryId, subjectDigest: digest as Digest, change: 'deleted' } as const;
    await followSubject(core.dependencies, following, new AbortController().signal);
  }
}

test('a deleted image is nowhere, outlives garbage collection, and comes back byte for byte with its tag', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const image = await pushedImage(core, repositoryName, 'a', 'v1');
  const { pushedAt } = await detailOf(scene, image.digest);
  core.pass(DAY_SECONDS);
  await scene.remove(image.digest);
  assert.equal(await reachable(scene, image.digest), false);
  assert.deepEqual(await tagsOf(core, repositoryName), []);
  core.pass(UNDO_SECONDS);
  await scene.collect();
  assert.deepEqual(await listed(scene), [image.digest]);
  const { digest, images, tags } = await scene.restore('v1');
  assert.deepEqual([digest, images, tags], [image.digest, [image.digest], ['v1']]);
  core.pass(2 * UNDO_SECONDS);
  await scene.collect();
  await scene.assertWhole(image, 'a');
  const detail = await detailOf(scene, image.digest);
  assert.deepEqual([detail.pushedAt, detail.tags, detail.status], [pushedAt, ['v1'], 'ACTIVE']);
  assert.deepEqual(detail.activatedAt?.getTime(), pushedAt.getTime() + (DAY_SECONDS + UNDO_SECONDS) * 1000);
  assert.deepEqual(await listed(scene), []);
});

test('once its time is over a deleted image is gone for good, and its bytes with it', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const { digest } = await pushedImage(core, repositoryName, 'a', 'v1');
  const keptUntil = new Date(core.dependencies.now().getTime() + UNDO_SECONDS * 1000).toISOString();
  await scene.remove(digest);
  core.pass(UNDO_SECONDS + 1);
  const registryId = call.registry.accountId;
  const cannot = `The image with digest '${digest}' in the repository with name '${repositoryName}' in the registry with id '${registryId}' cannot be brought back: `;
  assert.equal(await scene.refused(scene.restore('v1')), `${cannot}it was kept until ${keptUntil}`);
  assert.deepEqual(await listed(scene), []);
  await scene.collect();
  assert.equal(
    await scene.refused(scene.restore('v1', { digest })),
    `${cannot}it is not among the deleted images that are kept`,
  );
  assert.equal((await Array.fromAsync(core.dependencies.blobs.list())).length, 0);
});

test('an image comes back with those of its tags that are free', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const { digest, bytes } = await pushedImage(core, repositoryName, 'a', 'a');
  for (const tag of ['b', 'c']) await core.images.put(call, { repositoryName, manifest: bytes, tag });
  await scene.remove(digest);
  const other = await pushedImage(core, repositoryName, 'other', 'b');
  const restored = await restoreImage(scene, digest);
  assert.deepEqual(restored, { digest, tags: ['a', 'c'], images: [digest], status: 'ACTIVE' });
  assert.deepEqual([await scene.digestAt('b'), await scene.digestAt('c')], [other.digest, digest]);
  assert.deepEqual(await restoreImage(scene, digest), { digest, tags: [], images: [], status: 'ACTIVE' });
});

test('an image that was pushed again after its deletion is the one a tag comes back to', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const { digest, bytes } = await pushedImage(core, repositoryName, 'a', 'v1');
  await scene.remove(digest);
  await core.images.put(call, { repositoryName, manifest: bytes, tag: 'v2' });
  assert.deepEqual(await listed(scene), []);
  const { images, tags } = await scene.restore('v1');
  assert.deepEqual([images, tags], [[], ['v1']]);
  assert.deepEqual((await detailOf(scene, digest)).tags, ['v1', 'v2']);
});

test('an image may be deleted and brought back again and again', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const image = await pushedImage(core, repositoryName, 'a', 'v1');
  for (let round = 0; round < 3; round++) {
    await core.images.deleteMany(call, { repositoryName, imageIds: [{ imageTag: 'v1' }] });
    core.pass(UNDO_SECONDS - 1);
    await scene.collect();
    assert.deepEqual((await scene.restore('v1')).images, [image.digest]);
    await scene.assertWhole(image, 'a');
  }
});

test('an index comes back with what it lists, and not without', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const children = [await pushedImage(core, repositoryName, 'a', 'a'), await pushedImage(core, repositoryName, 'b')];
  const inner = indexManifest(children);
  const outer = indexManifest([{ ...inner }, children[0]!]);
  await core.images.put(call, { repositoryName, manifest: inner.bytes });
  await core.images.put(call, { repositoryName, manifest: outer.bytes, tag: 'multi' });
  const removeAll = async () => {
    for (const { digest } of [outer, inner, ...children]) await scene.remove(digest);
  };
  await removeAll();
  core.pass(UNDO_SECONDS);
  await scene.collect();
  const { images, tags } = await scene.restore('multi');
  assert.deepEqual(new Set(images), new Set([outer, inner, ...children].map(({ digest }) => digest)));
  assert.equal(images.at(-1), outer.digest);
  assert.deepEqual([tags, await tagsOf(core, repositoryName)], [['multi'], ['multi']]);
  await scene.assertWhole(children[0]!, 'a');
  await scene.assertWhole(children[1]!, 'b');
  assert.equal(await kindOf(scene.remove(children[1]!.digest)), 'image-referenced-by-index');
  await scene.collect();

  await removeAll();
  const { layers } = JSON.parse(children[1]!.bytes.toString());
  await core.layers.delete(call, { repositoryName, digest: layers[0].digest });
  assert.match(
    await scene.refused(scene.restore('multi')),
    new RegExp(`^The image with digest '${children[1]!.digest}' .* its layers \\[${layers[0].digest}\\] are gone$`),
  );
  assert.equal(await reachable(scene, children[0]!.digest), false);
  assert.equal((await listed(scene)).length, 4);
});

test('referrers that went because of their subject come back with it, and theirs; those deleted before do not', async () => {
  await using scene = await historyUnderTest();
  const subject = await pushedImage(scene.core, repositoryName, 'a', 'v1');
  const before = await pushedReferrer(scene, subject, 'before');
  const signature = await pushedReferrer(scene, subject, 'signature', 'signed');
  const attestation = await pushedReferrer(scene, signature, 'attestation');
  const broken = await pushedReferrer(scene, subject, 'broken');
  await scene.remove(before.digest);
  scene.core.pass(1);
  await scene.remove(subject.digest);
  await follow(scene, subject, signature);
  for (const { digest } of [signature, attestation, broken]) assert.equal(await reachable(scene, digest), false);
  const { layers } = JSON.parse(broken.bytes.toString());
  await scene.core.layers.delete(call, { repositoryName, digest: layers[0].digest });
  await scene.collect();
  const { images, tags } = await scene.restore('v1');
  assert.deepEqual(images, [subject.digest, signature.digest, attestation.digest]);
  assert.deepEqual(tags, ['v1', 'signed']);
  await scene.assertWhole(signature, 'signature');
  await scene.assertWhole(attestation, 'attestation');
  assert.deepEqual((await listed(scene)).sort(), [before.digest, broken.digest].sort());
  await follow(scene, subject);
  await scene.collect();
  assert.equal(await reachable(scene, signature.digest), true);
});

test('a referrer that was deleted for itself, or with its subject another time, stays away', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const subject = await pushedImage(core, repositoryName, 'a', 'v1');
  const once = await pushedReferrer(scene, subject, 'once');
  await scene.remove(subject.digest);
  await follow(scene, subject);
  core.pass(1);
  await core.images.put(call, { repositoryName, manifest: subject.bytes, tag: 'v1' });
  const itself = await pushedReferrer(scene, subject, 'itself');
  await scene.remove(subject.digest);
  await scene.remove(itself.digest);
  assert.deepEqual((await scene.restore('v1')).images, [subject.digest]);
  assert.deepEqual((await listed(scene)).sort(), [once.digest, itself.digest].sort());
});

test('what comes back is announced as pushed, each image once at least and under each of its tags', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const child = await pushedImage(core, repositoryName, 'a', 'child');
  const index = indexManifest([child]);
  for (const tag of ['multi', 'more']) await core.images.put(call, { repositoryName, manifest: index.bytes, tag });
  for (const { digest } of [index, child]) await scene.remove(digest);
  const { read } = core.dependencies.metadata;
  const last = await read.events.lastId();
  await restoreImage(scene, index.digest);
  const announced = (await read.events.after(last, 100)).map(({ event }) => {
    assert.ok(event.kind === 'image-pushed');
    return [event.digest, event.tag];
  });
  assert.deepEqual(announced, [
    [child.digest, undefined],
    [index.digest, 'more'],
    [index.digest, 'multi'],
  ]);
  await scene.restore('child');
  assert.equal((await read.events.after(last, 100)).length, 4);
});

test('what a lifecycle policy took stays for another term once it is back', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const selection = { tagStatus: 'any', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 3 };
  const document = JSON.stringify({ rules: [{ rulePriority: 1, selection, action: { type: 'expire' } }] });
  await core.lifecycle.putPolicy(call, { repositoryName, document });
  const { id } = await core.repositories.get(call, repositoryName);
  const expired = async () => (await applyLifecycle(core.dependencies, id))?.expired;
  const image = await pushedImage(core, repositoryName, 'a', 'v1');
  core.pass(4 * DAY_SECONDS);
  assert.equal(await expired(), 1);
  const [deleted] = (await scene.history.deleted(call, { repositoryName, after: '', limit: 1 })).images;
  assert.deepEqual([deleted?.digest, deleted?.cause, deleted?.tags], [image.digest, 'lifecycle', ['v1']]);
  await scene.restore('v1');
  core.pass(2 * DAY_SECONDS);
  assert.equal(await expired(), 0);
  await scene.assertWhole(image, 'a');
  core.pass(2 * DAY_SECONDS);
  assert.equal(await expired(), 1);
});

test('a layer is kept for a deleted image, whatever becomes of others that use it and whoever asks for it', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const image = await pushedImage(core, repositoryName, 'a', 'v1');
  const again = Buffer.from(image.bytes.toString().replace('{', '{ '));
  const { digest: other } = await core.images.put(call, { repositoryName, manifest: again });
  await scene.remove(image.digest);
  const shortly = { ...core.dependencies, settings: { ...core.dependencies.settings, undoSeconds: 0 } };
  await partsOver(shortly).images.delete(call, { repositoryName, reference: { digest: other } });
  const { layers, config } = JSON.parse(image.bytes.toString());
  core.pass(UNDO_SECONDS / 2);
  await core.layers.open(call, { repositoryName, digest: layers[0].digest });
  await core.layers.checkAvailability(call, { repositoryName, digests: [config.digest] });
  const upload = await stage(core, repositoryName, Buffer.from('layer a'));
  await core.uploads.finish(call, { ...upload, digest: layers[0].digest });
  core.pass(UNDO_SECONDS / 2);
  await scene.collect();
  await scene.restore('v1');
  await scene.assertWhole(image, 'a');
});

test('an image that was archived comes back active, and its bytes out of the archive', async () => {
  await using scene = await historyUnderTest();
  const { core } = scene;
  const { metadata } = core.dependencies;
  const { digest } = await pushedImage(core, repositoryName, 'a', 'v1');
  await core.images.updateStorageClass(call, { repositoryName, imageId: { imageTag: 'v1' }, storageClass: 'ARCHIVE' });
  const { id } = await detailOf(scene, digest);
  await metadata.transaction('alone', ({ blobs }) => blobs.markArchived(id, core.dependencies.now()));
  await scene.remove(digest);
  const waiting = async () => (await metadata.read.jobs.counts()).map(({ kind }) => kind);
  assert.ok(!(await waiting()).includes('restore-image'));
  assert.equal((await scene.restore('v1')).status, 'ACTIVE');
  assert.equal((await detailOf(scene, digest)).archivedAt, undefined);
  assert.ok((await waiting()).includes('restore-image'));
});

test('a repository has no room for an image that comes back beyond its quota', async () => {
  await using scene = await historyUnderTest({}, { 'images-per-repository': 1 });
  const { digest } = await pushedImage(scene.core, repositoryName, 'a', 'v1');
  await scene.remove(digest);
  await pushedImage(scene.core, repositoryName, 'b', 'v2');
  assert.equal(await kindOf(scene.restore('v1')), 'limit-exceeded');
  assert.equal(await reachable(scene, digest), false);
});

test('a deleted image and its past go with their repository', async () => {
  await using scene = await historyUnderTest();
  const { core, history } = scene;
  const { digest } = await pushedImage(core, repositoryName, 'a', 'v1');
  await scene.remove(digest);
  await core.repositories.delete(call, { repositoryName, force: true });
  assert.equal(await kindOf(restoreImage(scene, digest)), 'repository-not-found');
  await core.repositories.create(call, { repositoryName });
  assert.deepEqual((await history.tag(call, { repositoryName, tag: 'v1', limit: 9 })).changes, []);
  assert.equal(await kindOf(restoreImage(scene, digest)), 'image-not-restorable');
  await collectGarbage(core.dependencies);
  assert.equal((await Array.fromAsync(core.dependencies.blobs.list())).length, 0);
});
