import assert from 'node:assert/strict';
import { it } from 'node:test';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { openFilesystemBlobStore } from '../../src/drivers/blobs/filesystem/filesystem-blob-store.ts';
import { importImageJob } from '../../src/jobs/cache-jobs.ts';
import { randomImage } from '../support/images.ts';
import { startScripted } from '../support/scripted-registry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { call, coreUnderTest, kindOf, partsOver, readLayer, registry } from './core-under-test.ts';
import { doDueJobs } from './due-jobs.ts';
import { kmsKeysOver, localEncryption } from './local-encryption.ts';

it('keeps what is cached under the key that the template names, and brings nothing while it cannot be used', async () => {
  await using folder = await temporaryFolder('gantry-encryption-');
  await using blobs = await openFilesystemBlobStore({ directory: folder.path, workers: 1 });
  await using upstream = await startScripted();
  await using core = await coreUnderTest();
  const dependencies = { ...core.dependencies, blobs, encryption: localEncryption({ ...core.dependencies, blobs }) };
  const parts = partsOver(dependencies);
  await using _ = parts.caching;
  const keys = kmsKeysOver(dependencies);
  const key = await keys.create(registry, {});
  const encryption = { encryptionType: 'KMS', kmsKey: key.arn } as const;
  await parts.cacheRules.create(call, { prefix: 'hub', upstreamUrl: upstream.url });
  await parts.creationTemplates.create(call, { prefix: 'hub', appliedFor: ['PULL_THROUGH_CACHE'], encryption });

  const image = randomImage();
  upstream.add('app', image, 'v1');
  const repositoryName = 'hub/app';
  await parts.images.getManifest(call, { repositoryName, reference: { tag: 'v1' } });
  assert.deepEqual((await parts.repositories.get(call, repositoryName)).encryption, encryption);
  const [layer] = image.layers;
  const other = image.config;
  assert.ok(layer);
  assert.ok(layer.bytes.equals((await readLayer(parts, repositoryName, layer.digest))!), 'while it comes');

  await keys.disable(registry, key.arn);
  assert.equal(await kindOf(parts.layers.open(call, { repositoryName, digest: other.digest })), 'kms');
  const unheard = randomImage();
  upstream.add('app', unheard, 'v2');
  for (const reference of [{ tag: 'v1' }, { tag: 'v2' }, { digest: unheard.manifest.digest }]) {
    assert.equal(await kindOf(parts.images.getManifest(call, { repositoryName, reference })), 'kms');
  }
  const { images, failures } = await parts.images.getMany(call, {
    repositoryName,
    imageIds: [{ imageTag: 'v1' }, { imageTag: 'v2' }],
  });
  assert.deepEqual(images, []);
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['KmsError', 'KmsError'],
  );
  await keys.enable(registry, key.arn);
  assert.ok(other.bytes.equals((await readLayer(parts, repositoryName, other.digest))!), 'at once');
  core.pass(60);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const ended = await doDueJobs({ dependencies }, { 'import-image': importImageJob(parts.caching) });
  assert.deepEqual(
    ended.map(({ outcome }) => outcome),
    ['done'],
  );
  const records = await dependencies.metadata.read.blobs.page(0, 10);
  assert.equal(records.length, image.layers.length + 1);
  assert.ok(records.every(({ protection }) => protection?.keyId === key.arn));
  assert.ok(other.bytes.equals((await readLayer(parts, repositoryName, other.digest))!));
  core.pass(10_000);
  await collectGarbage(dependencies);
  assert.equal((await Array.fromAsync(blobs.list())).length, records.length);
});
