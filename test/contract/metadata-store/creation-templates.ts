import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CreationTemplate } from '../../../src/core/repositories/creation-template-records.ts';
import { type MetadataStoreDriver, minutesLater, openMigrated } from './driver.ts';

const registry = { accountId: '123456789012', region: 'eu-west-1' };

export function describeCreationTemplates(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: creation templates`, () => {
    const template = (prefix: string, changes: Partial<CreationTemplate> = {}): CreationTemplate => ({
      registry,
      prefix,
      appliedFor: ['REPLICATION'],
      createdAt: minutesLater(1),
      updatedAt: minutesLater(2),
      ...changes,
    });

    it('keeps every setting, and the time of making when it is put again', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const full = template('team/a', {
        appliedFor: ['CREATE_ON_PUSH', 'PULL_THROUGH_CACHE'],
        description: 'as told',
        encryption: { encryptionType: 'KMS', kmsKey: 'arn' },
        resourceTags: [{ key: 'k', value: '' }],
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        exclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
        repositoryPolicy: '{"é": 1}',
        lifecyclePolicy: '{}',
        customRoleArn: 'arn:role',
      });
      await store.transaction('alone', ({ creationTemplates }) => creationTemplates.put(full));
      assert.deepEqual(await store.read.creationTemplates.find(registry, 'team/a'), full);
      const again = template('team/a', { createdAt: minutesLater(9), updatedAt: minutesLater(9) });
      await store.transaction('alone', ({ creationTemplates }) => creationTemplates.put(again));
      const expected = { ...again, createdAt: full.createdAt };
      assert.deepEqual(await store.read.creationTemplates.find(registry, 'team/a'), expected);
    });

    it('lists those of one registry by prefix, finds several, and deletes', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const [b, root, a] = [template('b'), template('ROOT'), template('a/b')];
      const elsewhere = template('a/b', { registry: { ...registry, region: 'us-east-1' } });
      await store.transaction('alone', async ({ creationTemplates }) => {
        for (const each of [b, root, a, elsewhere]) await creationTemplates.put(each);
      });
      const { creationTemplates } = store.read;
      assert.deepEqual(await creationTemplates.page(registry, '', 10), [root, a, b]);
      assert.deepEqual(await creationTemplates.page(registry, 'ROOT', 1), [a]);
      assert.deepEqual(await creationTemplates.findMany(registry, ['b', 'c', 'ROOT']), [root, b]);
      const remove = () => store.transaction('alone', (records) => records.creationTemplates.delete(registry, 'a/b'));
      assert.equal(await remove(), true);
      assert.equal(await remove(), false);
      assert.deepEqual(await creationTemplates.page(registry, '', 10), [root, b]);
      assert.deepEqual(await creationTemplates.find(elsewhere.registry, 'a/b'), elsewhere);
    });
  });
}
