import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageFacts } from '../../src/core/scanning/image-facts.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { call, coreUnderTest, pushLayer, registry } from './core-under-test.ts';
import { kmsKeysOver } from './local-encryption.ts';
import { imageManifest } from './manifests.ts';

test('what an image says of itself is told as far as it is text', async () => {
  await using core = await coreUnderTest();
  const { dependencies } = core;
  const told = async (config: string) => {
    const manifest = imageManifest(await pushLayer(core, 'one', config), [await pushLayer(core, 'one', 'layer')]);
    await core.images.put(call, { repositoryName: 'one', manifest: manifest.bytes, idempotent: true });
    const repository = await dependencies.metadata.read.repositories.find(registry, 'one');
    assert.ok(repository);
    return imageFacts(dependencies, repository, { digest: manifest.digest as Digest });
  };
  assert.deepEqual(await told('{"architecture":"arm64","author":"a","os":"linux"}'), {
    architecture: 'arm64',
    author: 'a',
  });
  assert.deepEqual(await told('{"architecture":["arm64"],"author":""}'), {});
  for (const config of ['null', '5', '[]', 'no JSON', '{"author":', `{"author":"${'x'.repeat(2 * 1024 * 1024)}"}`]) {
    assert.deepEqual(await told(config), {}, config.slice(0, 20));
  }
});

test('nothing is told of an image whose key is disabled', async () => {
  await using core = await coreUnderTest();
  const { dependencies } = core;
  const encryption = { encryptionType: 'KMS' } as const;
  await core.repositories.create(call, { repositoryName: 'keyed', encryption });
  const config = await pushLayer(core, 'keyed', '{"architecture":"arm64"}');
  const manifest = imageManifest(config, [await pushLayer(core, 'keyed', 'layer')]);
  await core.images.put(call, { repositoryName: 'keyed', manifest: manifest.bytes });
  const repository = await dependencies.metadata.read.repositories.find(registry, 'keyed');
  assert.ok(repository);
  const facts = () => imageFacts(dependencies, repository, { digest: manifest.digest as Digest });
  assert.deepEqual(await facts(), { architecture: 'arm64' });
  const keys = kmsKeysOver(dependencies);
  const key = await keys.ensureDefault(registry);
  await keys.disable(registry, key.arn);
  core.pass(60);
  assert.deepEqual(await facts(), {});
});
