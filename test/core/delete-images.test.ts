import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Records, WorkScope } from '../../src/core/metadata-store.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import type { ImageIdentifier } from '../../src/core/values/image-reference.ts';
import { digestOf } from '../support/images.ts';
import { type CoreUnderTest, call, coreUnderTest, kindOf, partsOver, refusalOf } from './core-under-test.ts';
import { indexManifest, pushedImage, tagsOf } from './manifests.ts';

const repositoryName = 'one';

async function deleteMany({ images }: CoreUnderTest, ...imageIds: ImageIdentifier[]) {
  const { imageIds: deleted, failures } = await images.deleteMany(call, { repositoryName, imageIds });
  return { deleted, codes: failures.map(({ code }) => code) };
}

async function digestsIn({ images }: CoreUnderTest): Promise<string[]> {
  const page = { tagStatus: 'ANY', imageStatus: 'ACTIVE', after: '', limit: 100 } as const;
  return (await images.describe(call, { repositoryName, ...page })).images.map(({ digest }) => digest);
}

/** An index of one child, with tags of their own. */
async function indexWithChild(core: CoreUnderTest) {
  const child = await pushedImage(core, repositoryName, 'child', 'child');
  const index = indexManifest([child]);
  await core.images.put(call, { repositoryName, manifest: index.bytes, tag: 'index' });
  return { child: child.digest, index: index.digest };
}

test('the API takes an image along with its last tag, and only then', async () => {
  await using core = await coreUnderTest();
  const { digest, bytes } = await pushedImage(core, repositoryName, 'a', 'first');
  await core.images.put(call, { repositoryName, manifest: bytes, tag: 'second' });
  assert.deepEqual(await deleteMany(core, { imageTag: 'first' }), {
    deleted: [{ imageDigest: digest, imageTag: 'first' }],
    codes: [],
  });
  assert.deepEqual(await digestsIn(core), [digest]);
  assert.deepEqual(await tagsOf(core, repositoryName), ['second']);
  await deleteMany(core, { imageTag: 'second' });
  assert.deepEqual(await digestsIn(core), []);
});

test('both tags of an image in one call take it along', async () => {
  await using core = await coreUnderTest();
  const { digest, bytes } = await pushedImage(core, repositoryName, 'a', 'first');
  await core.images.put(call, { repositoryName, manifest: bytes, tag: 'second' });
  const { deleted, codes } = await deleteMany(core, { imageTag: 'first' }, { imageTag: 'second' });
  assert.deepEqual(
    deleted.map(({ imageTag }) => imageTag),
    ['first', 'second'],
  );
  assert.ok(deleted.every(({ imageDigest }) => imageDigest === digest));
  assert.deepEqual([codes, await digestsIn(core)], [[], []]);
});

test('a digest takes the image with all its tags, each of which is named', async () => {
  await using core = await coreUnderTest();
  const { digest, bytes } = await pushedImage(core, repositoryName, 'a', 'b');
  await core.images.put(call, { repositoryName, manifest: bytes, tag: 'a' });
  const untagged = await pushedImage(core, repositoryName, 'untagged');
  assert.deepEqual(await deleteMany(core, { imageDigest: digest }, { imageDigest: untagged.digest }), {
    deleted: [
      { imageDigest: digest, imageTag: 'a' },
      { imageDigest: digest, imageTag: 'b' },
      { imageDigest: untagged.digest },
    ],
    codes: [],
  });
});

test('each id that leads nowhere is a failure of its own', async () => {
  await using core = await coreUnderTest();
  const kept = await pushedImage(core, repositoryName, 'kept', 'kept');
  const other = digestOf('other');
  const { deleted, codes } = await deleteMany(
    core,
    { imageTag: 'nowhere' },
    { imageDigest: other },
    {},
    { imageDigest: 'sha256' },
    { imageTag: '-' },
    { imageTag: 'kept', imageDigest: other },
  );
  assert.deepEqual(deleted, []);
  assert.deepEqual(codes, [
    'ImageNotFound',
    'ImageNotFound',
    'MissingDigestAndTag',
    'InvalidImageDigest',
    'InvalidImageTag',
    'ImageTagDoesNotMatchDigest',
  ]);
  assert.deepEqual(await digestsIn(core), [kept.digest]);
});

test('what an index lists is kept, by digest and by its last tag', async () => {
  await using core = await coreUnderTest();
  const { child, index } = await indexWithChild(core);
  for (const id of [{ imageDigest: child }, { imageTag: 'child' }]) {
    assert.deepEqual(await deleteMany(core, id), { deleted: [], codes: ['ImageReferencedByManifestList'] });
  }
  const outcome = await refusalOf(core.images.delete(call, { repositoryName, reference: { digest: child } }));
  assert.ok('refusal' in outcome && outcome.refusal.kind === 'image-referenced-by-index');
  assert.deepEqual(outcome.refusal.indexDigests, [index]);
  assert.deepEqual((await digestsIn(core)).sort(), [child, index].sort());
});

for (const order of ['index first', 'child first']) {
  test(`an index and its child go in one call, ${order}`, async () => {
    await using core = await coreUnderTest();
    const { child, index } = await indexWithChild(core);
    const ids = [{ imageDigest: index }, { imageDigest: child }];
    const { deleted, codes } = await deleteMany(core, ...(order === 'index first' ? ids : ids.reverse()));
    assert.deepEqual(codes, []);
    assert.deepEqual(deleted.map(({ imageTag }) => imageTag).sort(), ['child', 'index']);
    assert.deepEqual(await digestsIn(core), []);
  });
}

test('an index of indexes goes in one call, innermost first, beside ids that lead nowhere', async () => {
  await using core = await coreUnderTest();
  const { child, index } = await indexWithChild(core);
  const outer = indexManifest([{ ...indexManifest([]), digest: index }]);
  await core.images.put(call, { repositoryName, manifest: outer.bytes });
  const ids = [child, index, digestOf('nothing'), outer.digest].map((imageDigest) => ({ imageDigest }));
  const { deleted, codes } = await deleteMany(core, ...ids);
  assert.deepEqual([deleted.length, codes], [3, ['ImageNotFound']]);
  assert.deepEqual(await digestsIn(core), []);
});

test('docker takes a tag alone by its tag, and the image with its tags by its digest', async () => {
  await using core = await coreUnderTest();
  const { digest } = await pushedImage(core, repositoryName, 'a', 'only');
  const remove = (reference: { tag: string } | { digest: string }) =>
    kindOf(core.images.delete(call, { repositoryName, reference }));
  assert.equal(await remove({ tag: 'only' }), 'none');
  assert.equal(await remove({ tag: 'only' }), 'image-not-found');
  assert.deepEqual(await digestsIn(core), [digest]);
  assert.equal(await remove({ digest }), 'none');
  assert.equal(await remove({ digest }), 'image-not-found');
  assert.equal(await remove({ digest: 'sha256:zz' }), 'image-not-found');
});

test('images with a thousand tags each go in one call, but not in one transaction', async () => {
  await using core = await coreUnderTest();
  const { metadata, now } = core.dependencies;
  const { id } = (await metadata.read.repositories.find(call.registry, repositoryName))!;
  const children = [];
  for (const word of ['a', 'b', 'c']) {
    const child = await pushedImage(core, repositoryName, word);
    children.push(child);
    await metadata.transaction('alone', async ({ images }) => {
      const image = (await images.find(id, child.digest as Digest))!;
      for (let tag = 0; tag < 1000; tag++) await images.tag(id, `${word}${tag}`, image.id, now());
    });
  }
  const index = indexManifest(children);
  await core.images.put(call, { repositoryName, manifest: index.bytes });

  const tagsLost: number[] = [];
  const counting = {
    ...metadata,
    async transaction<T>(about: WorkScope, work: (records: Records) => Promise<T>): Promise<T> {
      const before = await metadata.read.images.tags(id, '', 10_000);
      const done = await metadata.transaction(about, work);
      tagsLost.push(before.length - (await metadata.read.images.tags(id, '', 10_000)).length);
      return done;
    },
  };
  const { images } = partsOver({ ...core.dependencies, metadata: counting });
  const imageIds = [...children, index].map(({ digest }) => ({ imageDigest: digest }));
  const deleted = await images.deleteMany(call, { repositoryName, imageIds });
  assert.deepEqual([deleted.imageIds.length, deleted.failures], [3001, []]);
  assert.deepEqual(tagsLost, [0, 1000, 1000, 1000]);
  assert.equal(await metadata.read.images.hasAny(id), false);
});
