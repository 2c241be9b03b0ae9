import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PutImageInput } from '../../src/core/images/images.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { blobOf, descriptor, digestOf, mediaTypes } from '../support/images.ts';
import { type CoreUnderTest, call, coreUnderTest, kindOf, pushLayer, refusalOf } from './core-under-test.ts';
import { imageManifest, indexManifest, manifestBlob, pushedImage, tagsOf } from './manifests.ts';

const put = ({ images }: CoreUnderTest, manifest: { bytes: Uint8Array }, more: Partial<PutImageInput> = {}) =>
  images.put(call, { repositoryName: 'one', manifest: manifest.bytes, ...more });

test('a manifest is kept byte for byte under its digest and tag', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', 'config');
  const manifest = blobOf(JSON.stringify(JSON.parse(imageManifest(config, []).bytes.toString()), null, 3));
  const { digest, mediaType } = await put(core, manifest, { tag: 'latest', digest: manifest.digest });
  assert.deepEqual([digest, mediaType], [manifest.digest, mediaTypes.manifest]);
  for (const reference of [{ tag: 'latest' }, { digest }]) {
    const found = await core.images.getManifest(call, { repositoryName: 'one', reference });
    assert.deepEqual(Buffer.from(found.bytes), manifest.bytes);
  }
});

test('refuses what is wrong, and nothing of it stays', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', 'config');
  const good = imageManifest(config, []);
  const absent = blobOf('absent');
  const cases: [kind: string, manifest: { bytes: Uint8Array }, more?: Partial<PutImageInput>][] = [
    ['repository-not-found', good, { repositoryName: 'three' }],
    ['manifest-invalid', blobOf('{')],
    ['manifest-invalid', good, { mediaType: mediaTypes.index }],
    ['manifest-invalid', blobOf(Buffer.alloc(4 * 1024 * 1024 + 1, ' '))],
    ['invalid-parameter', good, { tag: '-latest' }],
    ['invalid-parameter', good, { tag: 'a'.repeat(129) }],
    ['image-digest-mismatch', good, { digest: absent.digest }],
    ['image-digest-mismatch', good, { digest: 'md5:00' }],
    ['layers-not-found', imageManifest(config, [absent])],
    ['layers-not-found', imageManifest(absent, [])],
    ['referenced-images-not-found', indexManifest([absent])],
  ];
  for (const [kind, manifest, more] of cases) {
    assert.equal(await kindOf(put(core, manifest, { tag: 'latest', ...more })), kind);
  }
  assert.deepEqual(await tagsOf(core, 'one'), []);
  assert.equal((await core.repositories.get(call, 'one')).name, 'one');
});

test('names every layer and child that is missing', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', 'config');
  // Of another repository, which does not count.
  const elsewhere = await pushLayer(core, 'two', 'elsewhere');
  const outcome = await refusalOf(put(core, imageManifest(config, [elsewhere, blobOf('a'), elsewhere])));
  assert.ok('refusal' in outcome && outcome.refusal.kind === 'layers-not-found');
  assert.deepEqual(outcome.refusal.digests, [elsewhere.digest, digestOf('a')]);
});

test('the same image under the same tag changes nothing: a success for docker, a refusal for the API', async () => {
  await using core = await coreUnderTest();
  const manifest = await pushedImage(core, 'one', 'a', 'latest');
  for (const tag of [{ tag: 'latest' }, {}]) {
    assert.equal(await kindOf(put(core, manifest, { ...tag, idempotent: true })), 'none');
    assert.equal(await kindOf(put(core, manifest, tag)), 'image-already-exists');
  }
  assert.equal(await kindOf(put(core, manifest, { tag: 'second' })), 'none');
  assert.deepEqual(await tagsOf(core, 'one'), ['latest', 'second']);
});

test('a tag moves to the image pushed last', async () => {
  await using core = await coreUnderTest();
  const first = await pushedImage(core, 'one', 'a', 'latest');
  const second = await pushedImage(core, 'one', 'b', 'latest');
  const reference = { repositoryName: 'one', reference: { tag: 'latest' } };
  assert.equal((await core.images.getManifest(call, reference)).digest, second.digest);
  assert.equal(await kindOf(put(core, first, { tag: 'latest', idempotent: true })), 'none');
  assert.equal((await core.images.getManifest(call, reference)).digest, first.digest);
});

const release = { filterType: 'WILDCARD', filter: 'release-*' } as const;
const mutabilities = [
  ['MUTABLE', [], { latest: 'none', 'release-1': 'none' }],
  ['IMMUTABLE', [], { latest: 'image-tag-already-exists', 'release-1': 'image-tag-already-exists' }],
  ['IMMUTABLE_WITH_EXCLUSION', [release], { latest: 'image-tag-already-exists', 'release-1': 'none' }],
  ['MUTABLE_WITH_EXCLUSION', [release], { latest: 'none', 'release-1': 'image-tag-already-exists' }],
] as const;
for (const [imageTagMutability, exclusionFilters, outcomes] of mutabilities) {
  test(`${imageTagMutability}: which tags may move`, async () => {
    await using core = await coreUnderTest();
    const mutability = { imageTagMutability, exclusionFilters };
    await core.repositories.putTagMutability(call, { repositoryName: 'one', ...mutability });
    for (const [tag, kind] of Object.entries(outcomes)) {
      const first = await pushedImage(core, 'one', `first of ${tag}`, tag);
      const config = await pushLayer(core, 'one', 'other config');
      const second = imageManifest(config, [], { annotations: { of: tag } });
      assert.equal(await kindOf(put(core, second, { tag, idempotent: true })), kind);
      assert.equal(await kindOf(put(core, first, { tag, idempotent: true })), 'none', 'the same again');
    }
  });
}

test('an index needs its children, and says how large its largest is', async () => {
  await using core = await coreUnderTest();
  const [small, large] = [await pushedImage(core, 'one', 'a'), await pushedImage(core, 'one', 'a longer word')];
  const index = indexManifest([small, large, small]);
  await put(core, index, { tag: 'multi' });
  const imageIds = [{ imageTag: 'multi' }, { imageDigest: large.digest }];
  const [described, child] = await core.images.describeMany(call, { repositoryName: 'one', imageIds });
  assert.equal(described?.mediaType, mediaTypes.index);
  assert.equal(described?.imageBytes, child?.imageBytes);
  assert.equal(await kindOf(put(core, indexManifest([index]))), 'none', 'an index of indexes');
});

test("BuildKit's cache, an index whose entries are layers, needs these as blobs", async () => {
  await using core = await coreUnderTest();
  const layer = blobOf('cached layer');
  const config = blobOf('{}');
  const entries = [
    descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer),
    descriptor('application/vnd.buildkit.cacheconfig.v0', config),
  ];
  const cache = manifestBlob({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: entries });
  assert.equal(await kindOf(put(core, cache, { tag: 'cache' })), 'layers-not-found');
  for (const { bytes } of [layer, config]) await pushLayer(core, 'one', bytes);
  assert.equal(await kindOf(put(core, cache, { tag: 'cache' })), 'none');
  assert.equal((await core.layers.open(call, { repositoryName: 'one', digest: layer.digest })).referenced, true);
});

test('layers that live at foreign URLs need not be here', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', 'config');
  const foreign = { ...descriptor(mediaTypes.layer, blobOf('far away')), urls: ['https://example.com/layer'] };
  assert.equal(await kindOf(put(core, imageManifest(config, [], { layers: [foreign] }))), 'none');
  const here = { ...foreign, urls: [] };
  assert.equal(await kindOf(put(core, imageManifest(config, [], { layers: [here] }))), 'layers-not-found');
});

test('an image may be known by its sha512', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', 'config');
  const manifest = imageManifest(config, []);
  const digest = digestOf(manifest.bytes, 'sha512');
  assert.equal((await put(core, manifest, { digest })).digest, digest);
  const wrong = `sha512:${'0'.repeat(128)}`;
  assert.equal(await kindOf(put(core, manifest, { digest: wrong })), 'image-digest-mismatch');
  const found = await core.images.getManifest(call, { repositoryName: 'one', reference: { digest } });
  assert.deepEqual(Buffer.from(found.bytes), manifest.bytes);
});

test('a subject need not be there; its referrers are listed by what they are', async () => {
  await using core = await coreUnderTest();
  const config = await pushLayer(core, 'one', '{}');
  const subject = descriptor(mediaTypes.manifest, blobOf('not there yet'));
  const annotations = { by: 'me' };
  const signature = imageManifest(config, [], { subject, artifactType: 'application/x.signature', annotations });
  const { subjectDigest } = await put(core, signature);
  assert.equal(subjectDigest, subject.digest);
  await put(core, imageManifest(config, [], { subject }));
  const page = { repositoryName: 'one', subject: subject.digest as Digest, after: '', limit: 10 };
  const all = await core.images.referrers(call, { ...page, imageStatus: 'ACTIVE' });
  assert.deepEqual(all.referrers.map(({ artifactType }) => artifactType).sort(), [
    mediaTypes.config,
    'application/x.signature',
  ]);
  const artifactTypes = ['application/x.signature'];
  const some = await core.images.referrers(call, { ...page, artifactTypes, imageStatus: 'ACTIVE' });
  assert.deepEqual(
    some.referrers.map(({ digest, annotations }) => ({ digest, annotations })),
    [{ digest: signature.digest, annotations }],
  );
});

test('an image has at most 1,000 tags', async () => {
  await using core = await coreUnderTest();
  const manifest = await pushedImage(core, 'one', 'a', 'tag-1');
  for (let count = 2; count <= 1000; count++) await put(core, manifest, { tag: `tag-${count}` });
  assert.equal(await kindOf(put(core, manifest, { tag: 'tag-1001' })), 'limit-exceeded');
  assert.equal(await kindOf(put(core, manifest, { tag: 'tag-1000', idempotent: true })), 'none');
});

test('a push makes its repository where the setting says so, and nowhere else', async () => {
  await using making = await coreUnderTest({ createOnPush: true });
  await using strict = await coreUnderTest();
  for (const [core, kind] of [
    [making, 'none'],
    [strict, 'repository-not-found'],
  ] as const) {
    const initiated = core.uploads.initiate(call, { repositoryName: 'brand/new', createOnPush: true });
    assert.equal(await kindOf(initiated), kind);
    assert.equal(await kindOf(core.uploads.initiate(call, { repositoryName: 'other/new' })), 'repository-not-found');
  }
});
