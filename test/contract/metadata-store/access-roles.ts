import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AccessRecords } from '../../../src/core/access/identity-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import { ACCOUNT, addRole, addUser, changeAccess, holderOf, newRole, OTHER_ACCOUNT } from './access-samples.ts';
import { type MetadataStoreDriver, minutesLater, type OpenStore, openMigrated } from './driver.ts';

export function describeAccessRoles(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: roles`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    const find = (name: string, accountId = ACCOUNT) => store.read.access.role(accountId, name);

    it('gives back what was inserted, the trust policy to the letter', async () => {
      const trustPolicy = '{\r\n  "Version": "2012-10-17",\t"Statement": "\\u00e9 é 😀"  }\n';
      const role = await addRole(store, { trustPolicy, sessionSecondsMax: 43_200, createdAt: minutesLater(1) });
      assert.deepEqual(await find(role.name), role);
      assert.equal(await find('nobody'), undefined);
    });

    it('refuses a second of the same name in an account, and an id that another role has', async () => {
      const role = await addRole(store, { name: 'twice' });
      const insert = (changes: Parameters<typeof newRole>[0]) =>
        changeAccess(store, (access) => access.insertRole(newRole(changes)));
      assert.equal(await insert({ name: 'twice', trustPolicy: 'other' }), false);
      assert.equal(await insert({ name: 'twice', accountId: OTHER_ACCOUNT, trustPolicy: 'other' }), true);
      assert.deepEqual(await find('twice'), role);
      await assert.rejects(insert({ roleId: role.roleId }));
    });

    it('lists what an account has and no other sees, in the order of names', async () => {
      const [accountId, foreign] = ['222222222222', '333333333333'];
      assert.deepEqual(await store.read.access.roles(accountId), []);
      const roles = [
        await addRole(store, { accountId, name: 'two' }),
        await addRole(store, { accountId, name: 'one' }),
      ];
      await addRole(store, { accountId: foreign, name: 'three' });
      assert.deepEqual(await store.read.access.roles(accountId), roles.toReversed());
      assert.equal(await find('one', foreign), undefined);
    });

    it('updates what is named, and nothing else', async () => {
      const role = await addRole(store);
      const namesake = await addRole(store, { name: role.name, accountId: OTHER_ACCOUNT });
      const neighbour = await addRole(store);
      const update = (changes: Parameters<AccessRecords['updateRole']>[2], name = role.name) =>
        changeAccess(store, (access) => access.updateRole(ACCOUNT, name, changes));
      await update({});
      assert.deepEqual(await find(role.name), role);
      await update({ sessionSecondsMax: 900 });
      assert.deepEqual(await find(role.name), { ...role, sessionSecondsMax: 900 });
      await update({ trustPolicy: 'new' });
      assert.deepEqual(await find(role.name), { ...role, sessionSecondsMax: 900, trustPolicy: 'new' });
      await update({ trustPolicy: 'nobody' }, 'nobody');
      assert.equal(await find('nobody'), undefined);
      assert.deepEqual(await find(role.name, OTHER_ACCOUNT), namesake);
      assert.deepEqual(await find(neighbour.name), neighbour);
    });

    it('deletes a role with its policies, and nothing of others', async () => {
      const role = await addRole(store);
      const user = await addUser(store, { name: role.name });
      const namesake = await addRole(store, { name: role.name, accountId: OTHER_ACCOUNT });
      const neighbour = await addRole(store);
      const holders = [holderOf('role', role), holderOf('user', user), holderOf('role', namesake)];
      for (const holder of holders) {
        await changeAccess(store, (access) => access.attachPolicy({ holder, name: 'p', document: '{}' }));
      }
      const remove = () => changeAccess(store, (access) => access.deleteRole(ACCOUNT, role.name));
      assert.equal(await remove(), true);
      assert.equal(await remove(), false);
      assert.equal(await find(role.name), undefined);
      assert.deepEqual(await find(role.name, OTHER_ACCOUNT), namesake);
      assert.deepEqual(await find(neighbour.name), neighbour);
      assert.deepEqual(await store.read.access.user(ACCOUNT, user.name), user);
      await addRole(store, { name: role.name });
      const left = await Promise.all(holders.map((holder) => store.read.access.attachedPolicies(holder)));
      assert.deepEqual(
        left.map(({ length }) => length),
        [0, 1, 1],
      );
    });
  });
}
