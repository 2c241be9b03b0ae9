import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import {
  ACCOUNT,
  addIdentityProvider,
  addRobotToken,
  changeAccess,
  newIdentityProvider,
  OTHER_ACCOUNT,
} from './access-samples.ts';
import { type MetadataStoreDriver, minutesLater, type OpenStore, openMigrated } from './driver.ts';

export function describeAccessTokens(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: robot tokens and identity providers`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    const findToken = (id: string) => store.read.access.robotToken(id);
    const findProvider = (issuer: string, accountId = ACCOUNT) => store.read.access.identityProvider(accountId, issuer);

    it('gives back robot tokens as they were inserted, and refuses a second of the same id', async () => {
      const plain = await addRobotToken(store);
      const empty = await addRobotToken(store, { actions: [], repositories: [], lastUsedAt: minutesLater(3) });
      for (const token of [plain, empty]) {
        const found = await findToken(token.id);
        assert.deepEqual(found, token);
        assert.deepEqual(Object.keys(found ?? {}).sort(), Object.keys(token).sort());
      }
      assert.equal(await findToken('none'), undefined);
      await assert.rejects(addRobotToken(store, { id: plain.id, accountId: OTHER_ACCOUNT }));
      assert.deepEqual(await findToken(plain.id), plain);
    });

    it('lists the robot tokens of an account and of no other, oldest first', async () => {
      const [accountId, foreign] = ['222222222222', '333333333333'];
      assert.deepEqual(await store.read.access.robotTokens(accountId), []);
      const young = await addRobotToken(store, { accountId, createdAt: minutesLater(2) });
      const old = await addRobotToken(store, { accountId, createdAt: minutesLater(1) });
      await addRobotToken(store, { accountId: foreign });
      assert.deepEqual(await store.read.access.robotTokens(accountId), [old, young]);
    });

    it('deletes a robot token, and says whether there was one', async () => {
      const [token, other] = [await addRobotToken(store), await addRobotToken(store)];
      const remove = () => changeAccess(store, (access) => access.deleteRobotToken(token.id));
      assert.equal(await remove(), true);
      assert.equal(await remove(), false);
      assert.equal(await findToken(token.id), undefined);
      assert.deepEqual(await findToken(other.id), other);
    });

    it('notes the latest use of a robot token, told in whatever order', async () => {
      const [token, other] = [await addRobotToken(store), await addRobotToken(store)];
      const use = (id: string, minutes: number) =>
        changeAccess(store, (access) => access.usedRobotToken(id, minutesLater(minutes)));
      for (const [minutes, latest] of [
        [1, 1],
        [3, 3],
        [2, 3],
      ] as const) {
        await use(token.id, minutes);
        assert.deepEqual(await findToken(token.id), { ...token, lastUsedAt: minutesLater(latest) });
      }
      assert.deepEqual(await findToken(other.id), other);
      await use('none', 1);
    });

    it('adds identity providers, and replaces the one of that issuer', async () => {
      const provider = await addIdentityProvider(store);
      const neighbour = await addIdentityProvider(store);
      const namesake = await addIdentityProvider(store, { ...provider, accountId: OTHER_ACCOUNT, audiences: ['b'] });
      assert.deepEqual(await findProvider(provider.issuer), provider);
      const changed = newIdentityProvider({ issuer: provider.issuer, audiences: [], createdAt: minutesLater(1) });
      await addIdentityProvider(store, changed);
      assert.deepEqual(await findProvider(provider.issuer), changed);
      assert.deepEqual(await findProvider(provider.issuer, OTHER_ACCOUNT), namesake);
      assert.deepEqual(await findProvider(neighbour.issuer), neighbour);
      assert.equal(await findProvider('https://nobody.example'), undefined);
    });

    it('lists the identity providers of an account and of no other, in the order of issuers', async () => {
      const [accountId, foreign] = ['222222222222', '333333333333'];
      assert.deepEqual(await store.read.access.identityProviders(accountId), []);
      const two = await addIdentityProvider(store, { accountId, issuer: 'https://two.example' });
      const one = await addIdentityProvider(store, { accountId, issuer: 'https://one.example' });
      await addIdentityProvider(store, { accountId: foreign, issuer: 'https://three.example' });
      assert.deepEqual(await store.read.access.identityProviders(accountId), [one, two]);
      assert.equal(await findProvider(one.issuer, foreign), undefined);
    });

    it('deletes an identity provider, and says whether there was one', async () => {
      const [provider, neighbour] = [await addIdentityProvider(store), await addIdentityProvider(store)];
      const remove = (accountId: string) =>
        changeAccess(store, (access) => access.deleteIdentityProvider(accountId, provider.issuer));
      assert.equal(await remove(OTHER_ACCOUNT), false);
      assert.equal(await remove(ACCOUNT), true);
      assert.equal(await remove(ACCOUNT), false);
      assert.equal(await findProvider(provider.issuer), undefined);
      assert.deepEqual(await findProvider(neighbour.issuer), neighbour);
    });
  });
}
