import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, coreUnderTest, kindOf, LEASE_SECONDS, partsOver, pushLayer, refusalOf } from './core-under-test.ts';
import { imageManifest } from './manifests.ts';

const repositoryName = 'one';

async function coreWithLink() {
  const core = await coreUnderTest();
  const { digest, bytes } = await pushLayer(core, repositoryName, 'config');
  const { bytes: manifest } = imageManifest({ digest, bytes }, []);
  await core.images.put(call, { repositoryName, manifest });
  const { path } = await core.links.create(call, { repositoryName, digest });
  return { core, path, digest };
}

test('a link opens its layer for an hour', async () => {
  const { core, path, digest } = await coreWithLink();
  await using _ = core;
  const { expiresAt } = await core.links.create(call, { repositoryName, digest });
  assert.equal(expiresAt.getTime() - core.dependencies.now().getTime(), 3600_000);
  core.pass(3599);
  const layer = await core.links.open(path);
  assert.deepEqual([layer.digest, layer.bytes], [digest, 6]);
  core.pass(1);
  const outcome = await refusalOf(core.links.open(path));
  assert.ok('refusal' in outcome && outcome.refusal.kind === 'download-link-invalid');
  assert.match(outcome.refusal.reason, /expired/);
});

test('a link of which anything was changed opens nothing', async () => {
  const { core, path, digest } = await coreWithLink();
  await using _ = core;
  const { digest: other } = await pushLayer(core, repositoryName, 'other');
  const changed = [
    path.replace(digest, other),
    path.replace('/one?', '/two?'),
    path.replace('111122223333', '111122223334'),
    path.replace('us-east-1', 'us-east-2'),
    path.replace(/expires=\d/, 'expires=9'),
    path.replace(/key=[^&]*/, 'key=unknown'),
    path.replace(/signature=.*/, 'signature=AAAA'),
    path.replace(/&signature=.*/, ''),
    `${path}&more=1`,
    path.slice(0, -2),
    '/layers/',
    '/layers/%zz',
  ];
  for (const one of changed) {
    assert.notEqual(one, path);
    assert.equal(await kindOf(core.links.open(one)), 'download-link-invalid', one);
  }
});

test('clients may escape what is in a link', async () => {
  const { core, path } = await coreWithLink();
  await using _ = core;
  assert.equal(await kindOf(core.links.open(path.replace('sha256:', 'sha256%3A'))), 'none');
});

test('a link of another store is not taken, one of this store is after a restart', async () => {
  const { core, path } = await coreWithLink();
  await using _ = core;
  await using other = await coreUnderTest();
  assert.equal(await kindOf(other.links.open(path)), 'download-link-invalid');
  assert.equal(await kindOf(partsOver(core.dependencies).links.open(path)), 'none');
});

test('there are links only to layers that an image uses', async () => {
  const { core, digest } = await coreWithLink();
  await using _ = core;
  const { digest: unused } = await pushLayer(core, repositoryName, 'unused');
  const create = (input: { repositoryName: string; digest: string }) => kindOf(core.links.create(call, input));
  assert.equal(await create({ repositoryName, digest: unused }), 'layer-inaccessible');
  assert.equal(await create({ repositoryName: 'two', digest }), 'layer-not-found');
  assert.equal(await create({ repositoryName: 'three', digest }), 'repository-not-found');
  assert.equal(await create({ repositoryName, digest: 'sha256:00' }), 'layer-not-found');
});

test('a link outlives its image only as long as the layer does', async () => {
  const { core, path, digest } = await coreWithLink();
  await using _ = core;
  const imageIds = (await core.images.list(call, { repositoryName, tagStatus: 'ANY', imageStatus: 'ACTIVE', limit: 9 }))
    .images;
  await core.images.deleteMany(call, { repositoryName, imageIds: imageIds.map((id) => ({ imageDigest: id.digest })) });
  core.pass(LEASE_SECONDS / 2);
  assert.equal(await kindOf(core.links.open(path)), 'none');
  await core.layers.delete(call, { repositoryName, digest });
  assert.equal(await kindOf(core.links.open(path)), 'layer-not-found');
});
