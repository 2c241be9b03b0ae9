import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import {
  ACCOUNT,
  addAccessKey,
  addGroup,
  addUser,
  changeAccess,
  holderOf,
  newGroup,
  newUser,
  OTHER_ACCOUNT,
} from './access-samples.ts';
import { type MetadataStoreDriver, minutesLater, type OpenStore, openMigrated } from './driver.ts';

export function describeAccessUsers(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: users and groups`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    const find = (name: string, accountId = ACCOUNT) => store.read.access.user(accountId, name);
    const remove = (name: string, accountId = ACCOUNT) =>
      changeAccess(store, (access) => access.deleteUser(accountId, name));

    it('gives back users and groups as they were inserted', async () => {
      const group = await addGroup(store, { createdAt: minutesLater(1) });
      assert.deepEqual(await store.read.access.group(ACCOUNT, group.name), group);
      for (const user of [await addUser(store), await addUser(store, { groups: [group.name] })]) {
        assert.deepEqual(await find(user.name), user);
      }
      assert.equal(await find('nobody'), undefined);
      assert.equal(await store.read.access.group(ACCOUNT, 'nobodies'), undefined);
    });

    it('refuses a second of the same name in an account, and only there', async () => {
      const user = await addUser(store, { name: 'twice' });
      const group = await addGroup(store, { name: 'twice' });
      const again = { name: 'twice', createdAt: minutesLater(9) };
      await changeAccess(store, async (access) => {
        assert.equal(await access.insertUser(newUser({ ...again, groups: ['twice'] })), false);
        assert.equal(await access.insertGroup(newGroup(again)), false);
        assert.equal(await access.insertUser(newUser({ ...again, accountId: OTHER_ACCOUNT })), true);
        assert.equal(await access.insertGroup(newGroup({ ...again, accountId: OTHER_ACCOUNT })), true);
      });
      assert.deepEqual(await find('twice'), user);
      assert.deepEqual(await store.read.access.group(ACCOUNT, 'twice'), group);
    });

    it('refuses a user id that another user has', async () => {
      const { userId } = await addUser(store);
      await assert.rejects(addUser(store, { userId, accountId: OTHER_ACCOUNT }));
    });

    it('lists what an account has and no other sees, in the order of names', async () => {
      const [accountId, foreign] = ['222222222222', '333333333333'];
      await addUser(store, { accountId: foreign, name: 'c' });
      await addGroup(store, { accountId: foreign, name: 'three' });
      assert.deepEqual(await store.read.access.users(accountId), []);
      assert.deepEqual(await store.read.access.groups(accountId), []);
      const groups = [
        await addGroup(store, { accountId, name: 'two' }),
        await addGroup(store, { accountId, name: 'one' }),
      ];
      const users = [
        await addUser(store, { accountId, name: 'c', groups: ['one'] }),
        await addUser(store, { accountId, name: 'a', groups: ['one', 'two'] }),
        await addUser(store, { accountId, name: 'B' }),
      ];
      assert.deepEqual(await store.read.access.users(accountId), [users[2], users[1], users[0]]);
      assert.deepEqual(await store.read.access.groups(accountId), groups.toReversed());
      assert.equal(await find('a', foreign), undefined);
      assert.equal(await store.read.access.group(foreign, 'one'), undefined);
      assert.deepEqual((await find('c', foreign))?.groups, []);
      assert.equal(await remove('a', foreign), false);
      assert.ok(await find('a', accountId));
    });

    it('adds users to groups once and takes them out again', async () => {
      const [b, a] = [await addGroup(store, { name: 'b-team' }), await addGroup(store, { name: 'a-team' })];
      const [user, other] = [await addUser(store), await addUser(store)];
      await changeAccess(store, async (access) => {
        for (const { name } of [b, a]) assert.equal(await access.addToGroup(ACCOUNT, name, user.name), true);
        assert.equal(await access.addToGroup(ACCOUNT, a.name, user.name), false);
        assert.equal(await access.addToGroup(ACCOUNT, a.name, other.name), true);
      });
      assert.deepEqual((await find(user.name))?.groups.toSorted(), ['a-team', 'b-team']);
      await changeAccess(store, async (access) => {
        assert.equal(await access.removeFromGroup(OTHER_ACCOUNT, a.name, user.name), false);
        assert.equal(await access.removeFromGroup(ACCOUNT, a.name, user.name), true);
        assert.equal(await access.removeFromGroup(ACCOUNT, a.name, user.name), false);
      });
      assert.deepEqual((await find(user.name))?.groups, ['b-team']);
      assert.deepEqual((await find(other.name))?.groups, ['a-team']);
    });

    it('rejects memberships of a user or in a group that the account has not', async () => {
      const { name } = await addUser(store);
      const group = await addGroup(store);
      const foreign = await addGroup(store, { accountId: OTHER_ACCOUNT });
      const add = (groupName: string, userName: string) =>
        changeAccess(store, (access) => access.addToGroup(ACCOUNT, groupName, userName));
      await assert.rejects(add('nobodies', name));
      await assert.rejects(add(group.name, 'nobody'));
      await assert.rejects(add(foreign.name, name));
      await assert.rejects(addUser(store, { name: 'lonely', groups: ['nobodies'] }));
      assert.equal(await find('lonely'), undefined);
    });

    it('deletes a user with its keys, policies and memberships, and nothing of others', async () => {
      const group = await addGroup(store);
      const user = await addUser(store, { groups: [group.name] });
      const namesake = await addUser(store, { accountId: OTHER_ACCOUNT, name: user.name });
      const neighbour = await addUser(store, { groups: [group.name] });
      const keys = [];
      for (const { accountId, name } of [user, namesake, neighbour]) {
        keys.push(await addAccessKey(store, { accountId, userName: name }));
      }
      const others = [holderOf('group', group), holderOf('user', namesake), holderOf('user', neighbour)];
      for (const holder of [holderOf('user', user), ...others]) {
        await changeAccess(store, (access) => access.attachPolicy({ holder, name: 'p', document: '{}' }));
      }

      assert.equal(await remove(user.name), true);

      const { access } = store.read;
      assert.equal(await find(user.name), undefined);
      assert.equal(await access.accessKey(keys[0]!.id), undefined);
      assert.deepEqual(await access.accessKeys(ACCOUNT, user.name), []);
      assert.deepEqual(await access.attachedPolicies(holderOf('user', user)), []);
      for (const key of keys.slice(1)) assert.deepEqual(await access.accessKey(key.id), key);
      for (const holder of others) assert.equal((await access.attachedPolicies(holder)).length, 1);
      assert.deepEqual(await find(neighbour.name), neighbour);
      assert.equal(await remove(user.name), false);

      await addUser(store, { name: user.name });
      assert.deepEqual((await find(user.name))?.groups, []);
      assert.deepEqual(await access.attachedPolicies(holderOf('user', user)), []);
    });

    it('deletes a group with its policies and memberships; its users stay', async () => {
      const [gone, stays] = [await addGroup(store), await addGroup(store)];
      const user = await addUser(store, { name: gone.name, groups: [gone.name, stays.name] });
      const holders = [holderOf('group', gone), holderOf('group', stays), holderOf('user', user)];
      for (const holder of holders) {
        await changeAccess(store, (access) => access.attachPolicy({ holder, name: 'p', document: '{}' }));
      }
      const removeGroup = () => changeAccess(store, (access) => access.deleteGroup(ACCOUNT, gone.name));

      assert.equal(await changeAccess(store, (access) => access.deleteGroup(OTHER_ACCOUNT, gone.name)), false);
      assert.equal(await removeGroup(), true);
      assert.equal(await removeGroup(), false);

      assert.equal(await store.read.access.group(ACCOUNT, gone.name), undefined);
      assert.deepEqual(await find(user.name), { ...user, groups: [stays.name] });
      const left = await Promise.all(holders.map((holder) => store.read.access.attachedPolicies(holder)));
      assert.deepEqual(
        left.map(({ length }) => length),
        [0, 1, 1],
      );
      await addGroup(store, { name: gone.name });
      assert.deepEqual((await find(user.name))?.groups, [stays.name]);
    });
  });
}
