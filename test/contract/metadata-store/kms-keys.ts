import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KmsKey } from '../../../src/core/encryption/kms-key-records.ts';
import { type MetadataStoreDriver, minutesLater, openMigrated, REGISTRY } from './driver.ts';

export function describeKmsKeys(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: keys of the local key service`, () => {
    const keyOf = (id: string, minutes: number, more: Partial<KmsKey> = {}): KmsKey => ({
      registry: REGISTRY,
      arn: `arn:aws:kms:us-east-1:111122223333:key/${id}`,
      description: '',
      state: 'Enabled',
      sealedMaterial: new Uint8Array([0, 255, minutes]),
      createdAt: minutesLater(minutes),
      ...more,
    });

    it('finds by ARN and by alias, and lists those of a registry, oldest first', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const { read } = store;
      const elsewhere = { ...REGISTRY, region: 'eu-west-1' };
      const newer = keyOf('a', 2, { alias: 'alias/one', description: 'what it is for' });
      const older = keyOf('b', 1);
      const other = keyOf('c', 0, { registry: elsewhere, alias: 'alias/one' });
      await store.transaction('registry', async ({ kmsKeys }) => {
        for (const key of [newer, older, other]) await kmsKeys.insert(key);
      });
      assert.deepEqual(await read.kmsKeys.find(newer.arn), newer);
      assert.equal(await read.kmsKeys.find('arn:aws:kms:us-east-1:111122223333:key/none'), undefined);
      assert.deepEqual(await read.kmsKeys.findByAlias(REGISTRY, 'alias/one'), newer);
      assert.deepEqual(await read.kmsKeys.findByAlias(elsewhere, 'alias/one'), other);
      assert.equal(await read.kmsKeys.findByAlias(REGISTRY, 'alias/two'), undefined);
      assert.deepEqual(await read.kmsKeys.list(REGISTRY), [older, newer]);
    });

    it('takes no alias twice, and any number of keys without one', async () => {
      await using opened = await openMigrated(driver);
      const insert = (key: KmsKey) => opened.store.transaction('registry', ({ kmsKeys }) => kmsKeys.insert(key));
      await insert(keyOf('a', 0, { alias: 'alias/one' }));
      await assert.rejects(insert(keyOf('b', 0, { alias: 'alias/one' })));
      await assert.rejects(insert(keyOf('a', 0)));
      await insert(keyOf('c', 0));
      await insert(keyOf('d', 0));
      assert.equal((await opened.store.read.kmsKeys.list(REGISTRY)).length, 3);
    });

    it('changes states, and deletes those alone whose time has come', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const [due, later, revived, enabled] = ['a', 'b', 'c', 'd'].map((id) => keyOf(id, 0)) as [
        KmsKey,
        KmsKey,
        KmsKey,
        KmsKey,
      ];
      await store.transaction('registry', async ({ kmsKeys }) => {
        for (const key of [due, later, revived, enabled]) await kmsKeys.insert(key);
        await kmsKeys.changeState(due.arn, 'PendingDeletion', minutesLater(10));
        await kmsKeys.changeState(later.arn, 'PendingDeletion', minutesLater(11));
        await kmsKeys.changeState(revived.arn, 'PendingDeletion', minutesLater(5));
        await kmsKeys.changeState(revived.arn, 'Disabled');
      });
      assert.deepEqual(await store.read.kmsKeys.find(revived.arn), { ...revived, state: 'Disabled' });
      const pending = { ...later, state: 'PendingDeletion', deletionAt: minutesLater(11) };
      assert.deepEqual(await store.read.kmsKeys.find(later.arn), pending);
      const deleteDue = (limit: number) =>
        store.transaction('own-rows', ({ kmsKeys }) => kmsKeys.deleteDue(minutesLater(10), limit));
      assert.equal(await deleteDue(0), 0);
      assert.equal(await deleteDue(5), 1);
      const left = (await store.read.kmsKeys.list(REGISTRY)).map(({ arn }) => arn);
      assert.deepEqual(left, [later.arn, revived.arn, enabled.arn]);
    });
  });
}
