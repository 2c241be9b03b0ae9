import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import { addAccessKey, addUser, changeAccess, OTHER_ACCOUNT } from './access-samples.ts';
import { type MetadataStoreDriver, minutesLater, type OpenStore, openMigrated } from './driver.ts';

export function describeAccessKeys(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: access keys`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    it('knows whether any account has a root key', async () => {
      await using fresh = await openMigrated(driver);
      const { access } = fresh.store.read;
      assert.equal(await access.hasRootKey(), false);
      const user = await addUser(fresh.store);
      await addAccessKey(fresh.store, { userName: user.name });
      assert.equal(await access.hasRootKey(), false);
      const { id } = await addAccessKey(fresh.store, { accountId: OTHER_ACCOUNT });
      assert.equal(await access.hasRootKey(), true);
      await changeAccess(fresh.store, (records) => records.deleteAccessKey(id));
      assert.equal(await access.hasRootKey(), false);
    });

    it('gives back what was inserted, bytes and all', async () => {
      const { name } = await addUser(store);
      const ofUser = await addAccessKey(store, { userName: name, createdAt: minutesLater(1) });
      const ofRoot = await addAccessKey(store, { isActive: false, sealedSecret: new Uint8Array(200).fill(255) });
      for (const key of [ofUser, ofRoot]) {
        const found = await store.read.access.accessKey(key.id);
        assert.deepEqual(found, key);
        assert.deepEqual(Object.keys(found ?? {}).sort(), Object.keys(key).sort());
      }
      assert.equal(await store.read.access.accessKey('AKIANONE'), undefined);
    });

    it('lists those of a user or of the root of an account, oldest first', async () => {
      const [accountId, foreign] = ['222222222222', '333333333333'];
      const { name } = await addUser(store, { accountId });
      await addUser(store, { accountId: foreign, name });
      const other = await addUser(store, { accountId });
      const list = (userName: string | undefined) => store.read.access.accessKeys(accountId, userName);
      assert.deepEqual(await list(undefined), []);
      assert.deepEqual(await list(name), []);
      const young = await addAccessKey(store, { accountId, userName: name, createdAt: minutesLater(2) });
      const old = await addAccessKey(store, { accountId, userName: name, createdAt: minutesLater(1) });
      await addAccessKey(store, { accountId: foreign, userName: name });
      await addAccessKey(store, { accountId, userName: other.name });
      const youngRoot = await addAccessKey(store, { accountId, createdAt: minutesLater(2) });
      const oldRoot = await addAccessKey(store, { accountId, createdAt: minutesLater(1) });
      await addAccessKey(store, { accountId: foreign });
      assert.deepEqual(await list(name), [old, young]);
      assert.deepEqual(await list(undefined), [oldRoot, youngRoot]);
    });

    it('refuses a second of the same id in any account, and a key of nobody', async () => {
      const key = await addAccessKey(store);
      await assert.rejects(addAccessKey(store, { id: key.id, accountId: OTHER_ACCOUNT }));
      assert.deepEqual(await store.read.access.accessKey(key.id), key);
      await assert.rejects(addAccessKey(store, { userName: 'nobody' }));
      const foreign = await addUser(store, { accountId: OTHER_ACCOUNT });
      await assert.rejects(addAccessKey(store, { userName: foreign.name }));
    });

    it('switches one off and on, and says whether there was one', async () => {
      const [key, other] = [await addAccessKey(store), await addAccessKey(store)];
      const set = (id: string, isActive: boolean) =>
        changeAccess(store, (access) => access.setAccessKeyActive(id, isActive));
      for (const isActive of [false, true]) {
        assert.equal(await set(key.id, isActive), true);
        assert.deepEqual(await store.read.access.accessKey(key.id), { ...key, isActive });
      }
      await set(key.id, false);
      assert.deepEqual(await store.read.access.accessKey(other.id), other);
      assert.equal(await set('AKIANONE', false), false);
    });

    it('deletes one, and says whether there was one', async () => {
      const [key, other] = [await addAccessKey(store), await addAccessKey(store)];
      const remove = () => changeAccess(store, (access) => access.deleteAccessKey(key.id));
      assert.equal(await remove(), true);
      assert.equal(await remove(), false);
      assert.equal(await store.read.access.accessKey(key.id), undefined);
      assert.deepEqual(await store.read.access.accessKey(other.id), other);
    });
  });
}
