import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followSubject } from '../../src/core/images/follow-subject.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import type { Blob } from '../support/images.ts';
import { call } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';
import { DAY_SECONDS, type LifecycleWorld, lifecycleWorld, repositoryName } from './lifecycle-world.ts';
import { tagsOf } from './manifests.ts';

const remove = (world: LifecycleWorld, ...images: Blob[]) => {
  const imageIds = images.map(({ digest }) => ({ imageDigest: digest }));
  return world.images.deleteMany(call, { repositoryName, imageIds });
};

const store = (world: LifecycleWorld, image: Blob, storageClass: 'ARCHIVE' | 'STANDARD') =>
  world.images.updateStorageClass(call, { repositoryName, imageId: { imageDigest: image.digest }, storageClass });

const digestsOf = (...images: Blob[]) => images.map(({ digest }) => digest).sort();

const work = async (world: LifecycleWorld) => {
  const ended = await doDueJobs(world, { 'follow-subject': world.handlers['follow-subject']! });
  for (const { outcome, error } of ended) assert.equal(outcome, 'done', String(error));
  return ended.length;
};

/** A subject with a signature, an SBOM and the SBOM's signature. */
async function signedImage(world: LifecycleWorld) {
  const subject = await world.push('subject', { tags: ['subject'] });
  const signature = await world.push('signature', { subject, tags: ['signature', 'also'] });
  const bom = await world.push('bom', { subject });
  const signatureOfBom = await world.push('signature of bom', { subject: bom, tags: ['of-bom'] });
  return { subject, signature, bom, signatureOfBom };
}

const EXPIRE_SUBJECT = {
  rules: [
    {
      rulePriority: 1,
      selection: {
        tagStatus: 'tagged',
        tagPatternList: ['subject'],
        countType: 'sinceImagePushed',
        countUnit: 'days',
        countNumber: 1,
      },
      action: { type: 'expire' },
    },
  ],
};

const deletions: Record<string, (world: LifecycleWorld, subject: Blob) => Promise<unknown>> = {
  BatchDeleteImage: (world, subject) => remove(world, subject),
  'BatchDeleteImage of the last tag': ({ images }) =>
    images.deleteMany(call, { repositoryName, imageIds: [{ imageTag: 'subject' }] }),
  'OCI DELETE': ({ images }, { digest }) => images.delete(call, { repositoryName, reference: { digest } }),
  'a lifecycle policy': async (world) => {
    world.pass(2 * DAY_SECONDS);
    await world.policy(EXPIRE_SUBJECT);
    await world.apply();
  },
};
for (const [name, deletion] of Object.entries(deletions)) {
  test(`an image deleted by ${name} takes its referrers along, theirs too, and their tags`, async () => {
    await using world = await lifecycleWorld();
    const { subject } = await signedImage(world);
    const other = await world.push('other', { tags: ['other'] });
    const itsSignature = await world.push('its signature', { subject: other });
    await deletion(world, subject);
    await work(world);
    assert.deepEqual(await world.active(), digestsOf(other, itsSignature));
    assert.deepEqual(await tagsOf(world, repositoryName), ['other']);
  });
}

test('what goes with its subject is told of, and can be told from what was deleted for itself', async () => {
  await using world = await lifecycleWorld({ undoSeconds: DAY_SECONDS });
  const { subject, signature, signatureOfBom } = await signedImage(world);
  await remove(world, subject);
  await work(world);
  const { history, events } = world.dependencies.metadata.read;
  const deleted = await history.deletedImage(world.repositoryId, signature.digest as Digest);
  assert.deepEqual([deleted?.cause, deleted?.principal, deleted?.tags], ['subject-gone', '', ['also', 'signature']]);
  const told = (await events.after(0, 100)).map(({ event }) => event);
  const wanted = { kind: 'image-deleted', digest: signatureOfBom.digest, tag: 'of-bom' };
  assert.equal(told.filter((event) => 'tag' in event && isLike(event, wanted)).length, 1);
});

function isLike(event: object, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => (event as Record<string, unknown>)[name] === value);
}

test('a subject with more referrers than one transaction takes leaves none behind', async () => {
  await using world = await lifecycleWorld();
  const subject = await world.push('subject');
  for (let count = 0; count < 35; count++) await world.push(`referrer ${count}`, { subject });
  await remove(world, subject);
  await work(world);
  assert.deepEqual(await world.active(), []);
});

test('a referrer that an index lists stays, and those behind it go', async () => {
  await using world = await lifecycleWorld();
  const subject = await world.push('subject');
  const referrers: Blob[] = [];
  for (let count = 0; count < 25; count++) referrers.push(await world.push(`referrer ${count}`, { subject }));
  const listed = referrers.toSorted((one, other) => (one.digest < other.digest ? -1 : 1)).slice(0, 12);
  const index = await world.pushIndex(listed);
  await remove(world, subject);
  await work(world);
  assert.deepEqual(await world.active(), digestsOf(...listed, index));
});

test('nothing happens to referrers whose subject is back, or whose repository is gone', async () => {
  await using world = await lifecycleWorld();
  const { subject, signature, bom, signatureOfBom } = await signedImage(world);
  await remove(world, subject);
  await world.images.put(call, { repositoryName, manifest: subject.bytes });
  assert.equal(await work(world), 1);
  assert.deepEqual(await world.active(), digestsOf(subject, signature, bom, signatureOfBom));
  await remove(world, subject);
  await world.repositories.delete(call, { repositoryName, force: true });
  assert.equal(await work(world), 1);
});

test('a subject that comes back half way keeps the referrers that are left', async () => {
  await using world = await lifecycleWorld();
  const subject = await world.push('subject');
  for (let count = 0; count < 25; count++) await world.push(`referrer ${count}`, { subject });
  await remove(world, subject);
  const { metadata } = world.dependencies;
  let transactions = 0;
  const meeting = {
    ...metadata,
    async transaction<T>(...inner: Parameters<typeof metadata.transaction<T>>): Promise<T> {
      if (++transactions === 2) await world.images.put(call, { repositoryName, manifest: subject.bytes });
      return metadata.transaction(...inner);
    },
  };
  const following = { repositoryId: world.repositoryId, subjectDigest: subject.digest as Digest } as const;
  const { signal } = new AbortController();
  await followSubject({ ...world.dependencies, metadata: meeting }, { ...following, change: 'deleted' }, signal);
  assert.equal((await world.active()).length, 1 + 15);
});

test('told to stop it ends between two transactions, and goes on when it is begun again', async () => {
  await using world = await lifecycleWorld();
  const subject = await world.push('subject');
  for (let count = 0; count < 25; count++) await world.push(`referrer ${count}`, { subject });
  await remove(world, subject);
  const stop = new AbortController();
  const { metadata } = world.dependencies;
  const stopping = {
    ...metadata,
    async transaction<T>(...inner: Parameters<typeof metadata.transaction<T>>): Promise<T> {
      stop.abort();
      return metadata.transaction(...inner);
    },
  };
  const payload = { repositoryId: world.repositoryId, subjectDigest: subject.digest as Digest } as const;
  const following = { ...payload, change: 'deleted' } as const;
  const run = followSubject({ ...world.dependencies, metadata: stopping }, following, stop.signal);
  await assert.rejects(run, { name: 'AbortError' });
  assert.equal((await world.active()).length, 15);
  await work(world);
  assert.deepEqual(await world.active(), []);
});

test('an archived image takes its referrers along, theirs too; a part of an active index stays', async () => {
  await using world = await lifecycleWorld();
  const { subject, signature, bom, signatureOfBom } = await signedImage(world);
  const part = await world.push('part', { subject });
  const index = await world.pushIndex([part]);
  await store(world, subject, 'ARCHIVE');
  assert.deepEqual(await world.archived(), digestsOf(subject));
  await work(world);
  assert.deepEqual(await world.archived(), digestsOf(subject, signature, bom, signatureOfBom));
  assert.deepEqual(await world.active(), digestsOf(part, index));
});

test('referrers stay active when their subject is restored before they follow', async () => {
  await using world = await lifecycleWorld();
  const { subject, signature, bom, signatureOfBom } = await signedImage(world);
  await store(world, subject, 'ARCHIVE');
  await store(world, subject, 'STANDARD');
  assert.equal(await work(world), 1);
  assert.deepEqual(await world.active(), digestsOf(subject, signature, bom, signatureOfBom));
});

test('an archived image that is deleted takes its archived referrers along', async () => {
  await using world = await lifecycleWorld();
  const { subject } = await signedImage(world);
  await store(world, subject, 'ARCHIVE');
  await work(world);
  await remove(world, subject);
  await work(world);
  assert.deepEqual([await world.active(), await world.archived()], [[], []]);
});

test('an image without referrers leaves no work behind', async () => {
  await using world = await lifecycleWorld();
  await remove(world, await world.push('alone'));
  assert.equal(await work(world), 0);
});
