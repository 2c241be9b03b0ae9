import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PolicyHolder } from '../../../src/core/access/identity-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import type { Registry } from '../../../src/core/values/registry.ts';
import { ACCOUNT, addGroup, addRole, addUser, changeAccess, holderOf, OTHER_ACCOUNT } from './access-samples.ts';
import { addRepository, type MetadataStoreDriver, type OpenStore, openMigrated, REGISTRY } from './driver.ts';

/** What a store that reads JSON would change. */
const VERBATIM = '{\r\n  "Version": "2012-10-17",\t"Statement": "\\u00e9 é 😀", "Statement": 1.0  }\n';

export function describeAccessPolicies(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: policies`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    const attached = (holder: PolicyHolder) => store.read.access.attachedPolicies(holder);
    const attach = (holder: PolicyHolder, name: string, policy: { document: string } | { managedArn: string }) =>
      changeAccess(store, (access) => access.attachPolicy({ holder, name, ...policy }));
    const detach = (holder: PolicyHolder, name: string) =>
      changeAccess(store, (access) => access.detachPolicy(holder, name));

    it('attaches documents, kept to the letter, and managed policies to users, groups and roles', async () => {
      const name = 'same-name';
      const holders = [
        holderOf('user', await addUser(store, { name })),
        holderOf('group', await addGroup(store, { name })),
        holderOf('role', await addRole(store, { name })),
        holderOf('role', await addRole(store, { name, accountId: OTHER_ACCOUNT })),
      ];
      for (const [index, holder] of holders.entries()) {
        assert.deepEqual(await attached(holder), []);
        const document = VERBATIM + index;
        await attach(holder, 'own', { document });
        await attach(holder, 'managed', { managedArn: `arn:${index}` });
        const found = await attached(holder);
        assert.deepEqual(found, [
          { holder, name: 'managed', managedArn: `arn:${index}` },
          { holder, name: 'own', document },
        ]);
        assert.deepEqual(
          found.map((policy) => Object.keys(policy).length),
          [3, 3],
        );
      }
    });

    it('lists in the order of names', async () => {
      const holder = holderOf('user', await addUser(store));
      for (const name of ['b', 'C', 'a', 'a-b', 'a.b', 'é']) await attach(holder, name, { document: name });
      const names = (await attached(holder)).map(({ name }) => name);
      assert.deepEqual(names, ['C', 'a', 'a-b', 'a.b', 'b', 'é']);
    });

    it('replaces the one of that name, whatever either is', async () => {
      const holder = holderOf('group', await addGroup(store));
      await attach(holder, 'p', { document: 'first' });
      await attach(holder, 'q', { document: 'other' });
      await attach(holder, 'p', { document: 'second' });
      assert.deepEqual(await attached(holder), [
        { holder, name: 'p', document: 'second' },
        { holder, name: 'q', document: 'other' },
      ]);
      await attach(holder, 'p', { managedArn: 'arn' });
      assert.deepEqual((await attached(holder))[0], { holder, name: 'p', managedArn: 'arn' });
      await attach(holder, 'p', { document: 'third' });
      assert.deepEqual((await attached(holder))[0], { holder, name: 'p', document: 'third' });
    });

    it('detaches one of one holder, and says whether there was one', async () => {
      const [one, other] = [holderOf('role', await addRole(store)), holderOf('role', await addRole(store))];
      const namesake = holderOf('user', await addUser(store, { name: one.name }));
      for (const holder of [one, other, namesake]) await attach(holder, 'p', { document: '' });
      await attach(one, 'q', { document: '' });
      assert.equal(await detach(one, 'p'), true);
      assert.equal(await detach(one, 'p'), false);
      assert.equal(await detach({ ...one, accountId: OTHER_ACCOUNT }, 'q'), false);
      assert.deepEqual(await attached(one), [{ holder: one, name: 'q', document: '' }]);
      for (const holder of [other, namesake]) assert.equal((await attached(holder)).length, 1);
    });

    it('rejects policies of nobody, which would wait for whoever is given that name', async () => {
      const { name } = await addUser(store, { accountId: OTHER_ACCOUNT });
      for (const kind of ['user', 'group', 'role'] as const) {
        await assert.rejects(attach({ accountId: ACCOUNT, kind, name }, 'p', { document: '' }), /has no/);
      }
      await assert.rejects(attach({ accountId: OTHER_ACCOUNT, kind: 'role', name }, 'p', { document: '' }), /has no/);
    });

    it('puts, replaces and deletes the policy of a repository, kept to the letter', async () => {
      const [repository, other] = [await addRepository(store), await addRepository(store)];
      const find = () => store.read.access.repositoryPolicy(repository.id);
      const put = (id: number, text: string | undefined) =>
        changeAccess(store, (access) => access.putRepositoryPolicy(id, text));
      assert.equal(await find(), undefined);
      await put(other.id, 'other');
      for (const text of [VERBATIM, 'second', '']) {
        await put(repository.id, text);
        assert.equal(await find(), text);
      }
      for (let time = 0; time < 2; time++) {
        await put(repository.id, undefined);
        assert.equal(await find(), undefined);
      }
      assert.equal(await store.read.access.repositoryPolicy(other.id), 'other');
      await assert.rejects(put(1_000_000, 'of no repository'));
    });

    it('takes the policy of a repository along when the repository is reaped', async () => {
      const [gone, stays] = [await addRepository(store), await addRepository(store)];
      await changeAccess(store, async (access) => {
        for (const { id } of [gone, stays]) await access.putRepositoryPolicy(id, `of ${id}`);
      });
      await store.transaction('alone', ({ repositories }) => repositories.retire(gone.id));
      while (await store.transaction('alone', ({ repositories }) => repositories.reap(gone.id, 1)));
      assert.equal(await store.read.access.repositoryPolicy(gone.id), undefined);
      assert.equal(await store.read.access.repositoryPolicy(stays.id), `of ${stays.id}`);
    });

    it('puts, replaces and deletes the policy of a registry, and of no other', async () => {
      const others = [
        { ...REGISTRY, region: 'eu-west-1' },
        { ...REGISTRY, accountId: OTHER_ACCOUNT },
      ];
      const find = (registry: Registry) => store.read.access.registryPolicy(registry);
      const put = (registry: Registry, text: string | undefined) =>
        changeAccess(store, (access) => access.putRegistryPolicy(registry, text));
      for (const registry of [REGISTRY, ...others]) assert.equal(await find(registry), undefined);
      for (const registry of others) await put(registry, `${registry.accountId} ${registry.region}`);
      for (const text of [VERBATIM, 'second', '']) {
        await put(REGISTRY, text);
        assert.equal(await find(REGISTRY), text);
      }
      for (let time = 0; time < 2; time++) {
        await put(REGISTRY, undefined);
        assert.equal(await find(REGISTRY), undefined);
      }
      for (const registry of others) assert.equal(await find(registry), `${registry.accountId} ${registry.region}`);
    });
  });
}
