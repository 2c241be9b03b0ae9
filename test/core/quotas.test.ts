import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CoreUnderTest, call, coreUnderTest, kindOf, refusalOf, registry, stage } from './core-under-test.ts';
import { indexManifest, pushedImage } from './manifests.ts';

/** What was refused, in the words that a client reads. */
async function wordsOf(work: Promise<unknown>): Promise<string> {
  const outcome = await refusalOf(work);
  return 'refusal' in outcome && 'reason' in outcome.refusal ? String(outcome.refusal.reason) : 'not refused';
}

const putAgain = ({ images }: CoreUnderTest, manifest: { bytes: Uint8Array }, tag: string) =>
  images.put(call, { repositoryName: 'one', manifest: manifest.bytes, tag });

test('a registry has so many repositories and no more', async () => {
  await using core = await coreUnderTest({ createOnPush: true }, { 'repositories-per-registry': 3 });
  const create = (repositoryName: string, by = call) => core.repositories.create(by, { repositoryName });
  await create('three');
  assert.equal(
    await wordsOf(create('four')),
    "The registry with id '111122223333' in us-east-1 can have at most 3 repositories (quota repositories-per-registry; an operator raises it with --quota repositories-per-registry=NUMBER)",
  );
  const pushed = core.uploads.initiate(call, { repositoryName: 'four', createOnPush: true });
  assert.equal(await kindOf(pushed), 'limit-exceeded');
  assert.equal(await kindOf(create('three')), 'repository-already-exists');
  assert.equal(await kindOf(create('four', { ...call, registry: { ...registry, region: 'eu-west-1' } })), 'none');
  await core.repositories.delete(call, { repositoryName: 'two', force: true });
  assert.equal(await kindOf(create('four')), 'none');
});

test('a repository has so many images and no more, also when they come at once', async () => {
  await using core = await coreUnderTest({}, { 'images-per-repository': 3 });
  const first = await pushedImage(core, 'one', 'a', 'a');
  const words = ['b', 'c', 'd', 'e'];
  const kinds = await Promise.all(words.map((word) => kindOf(pushedImage(core, 'one', word))));
  assert.deepEqual(kinds.toSorted(), ['limit-exceeded', 'limit-exceeded', 'none', 'none']);
  assert.match(
    await wordsOf(pushedImage(core, 'one', 'f')),
    /^The repository with name 'one' in the registry with id '111122223333' can have at most 3 images \(quota images-per-repository; .*--quota images-per-repository=NUMBER\)$/,
  );
  // Another tag is no other image, and a repository no other repository.
  assert.equal(await kindOf(putAgain(core, first, 'other')), 'none');
  assert.equal(await kindOf(pushedImage(core, 'two', 'a')), 'none');
  await core.images.deleteMany(call, { repositoryName: 'one', imageIds: [{ imageDigest: first.digest }] });
  assert.equal(await kindOf(putAgain(core, indexManifest([]), 'index')), 'none');
  assert.equal(await kindOf(putAgain(core, first, 'a')), 'limit-exceeded');
});

test('an image has so many tags and no more', async () => {
  await using core = await coreUnderTest({}, { 'tags-per-image': 2 });
  const image = await pushedImage(core, 'one', 'a', 'a');
  await putAgain(core, image, 'b');
  assert.equal(
    await wordsOf(putAgain(core, image, 'c')),
    `The image with digest '${image.digest}' can have at most 2 tags (quota tags-per-image; an operator raises it with --quota tags-per-image=NUMBER)`,
  );
});

test('a repository has so many resource tags and no more', async () => {
  await using core = await coreUnderTest({}, { 'repository-tags': 1 });
  const tags = [
    { key: 'a', value: '' },
    { key: 'b', value: '' },
  ];
  const create = core.repositories.create(call, { repositoryName: 'three', tags });
  await assert.rejects(create, /can have at most 1 tags \(quota repository-tags; /);
  await core.repositories.tagResource(call, { repositoryName: 'one', tags: tags.slice(0, 1) });
  const second = core.repositories.tagResource(call, { repositoryName: 'one', tags: tags.slice(1) });
  assert.equal(await kindOf(second), 'too-many-resource-tags');
});

test('a registry has so many creation templates and no more', async () => {
  await using core = await coreUnderTest({}, { 'creation-templates': 1, 'repository-tags': 1, 'lifecycle-rules': 0 });
  const create = (prefix: string, more: object = {}) =>
    core.creationTemplates.create(call, { prefix, appliedFor: [], ...more });
  const resourceTags = [
    { key: 'a', value: '' },
    { key: 'b', value: '' },
  ];
  assert.equal(await kindOf(create('one', { resourceTags })), 'too-many-resource-tags');
  const rule = {
    rulePriority: 1,
    selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 1 },
    action: { type: 'expire' },
  };
  assert.equal(
    await kindOf(create('one', { lifecyclePolicy: JSON.stringify({ rules: [rule] }) })),
    'invalid-parameter',
  );
  await create('one');
  assert.match(
    await wordsOf(create('two')),
    /^The registry with id '111122223333' can have at most 1 repository creation templates \(quota creation-templates; /,
  );
});

test('a layer has so many parts and bytes and no more', async () => {
  await using core = await coreUnderTest({}, { 'layer-parts': 2, 'layer-bytes': 5 });
  const { uploadId } = await core.uploads.initiate(call, { repositoryName: 'one' });
  const part = (firstByte: number, bytes: number) => {
    const lastByte = firstByte + bytes - 1;
    const chunks = [new Uint8Array(bytes)];
    return core.uploads.uploadPart(call, { repositoryName: 'one', uploadId, firstByte, lastByte, chunks, bytes });
  };
  await part(0, 2);
  assert.match(await wordsOf(part(2, 4)), /^A layer can have at most 5 bytes \(quota layer-bytes; /);
  await part(2, 1);
  assert.match(await wordsOf(part(3, 1)), /^A layer can have at most 2 parts \(quota layer-parts; /);
  await stage(core, 'one', new Uint8Array(5));
  assert.equal(await kindOf(stage(core, 'one', new Uint8Array(6))), 'layer-limit-exceeded');
});
