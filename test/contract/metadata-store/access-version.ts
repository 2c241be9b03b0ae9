import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AccessReads, AccessRecords } from '../../../src/core/access/identity-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import {
  ACCOUNT,
  addUser,
  changeAccess,
  newAccessKey,
  newGroup,
  newIdentityProvider,
  newRobotToken,
  newRole,
  newUser,
} from './access-samples.ts';
import { addRepository, type MetadataStoreDriver, MOMENT, type OpenStore, openMigrated, REGISTRY } from './driver.ts';

type Change = Exclude<keyof AccessRecords, keyof AccessReads>;

export function describeAccessVersion(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: the version of access`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    let repositoryId: number;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
      repositoryId = (await addRepository(store)).id;
    });
    after(() => opened[Symbol.asyncDispose]());

    const version = () => store.read.access.version();

    it('rises with each change, told after the change and with it', async () => {
      for (const [name, change] of CHANGES) {
        const before = await version();
        const within = await changeAccess(store, async (access) => {
          await change(access, repositoryId);
          return access.version();
        });
        assert.ok(within > before, name);
        assert.equal(await version(), within, name);
      }
      const tried = new Set(CHANGES.map(([name]) => name));
      const offered = await changeAccess(store, async (access) => Object.keys(access));
      const changes = offered.filter((name) => !(name in store.read.access) && name !== 'usedRobotToken');
      assert.deepEqual(changes.sort(), [...tried].sort());
    });

    it('does not rise with reads or with the use of a robot token', async () => {
      const token = newRobotToken();
      await changeAccess(store, (access) => access.insertRobotToken(token));
      const before = await version();
      await changeAccess(store, (access) => access.usedRobotToken(token.id, MOMENT));
      assert.deepEqual((await store.read.access.robotToken(token.id))?.lastUsedAt, MOMENT);
      await store.read.access.users(ACCOUNT);
      assert.equal(await version(), before);
    });

    it('does not rise when the change is undone, nor before it is committed', async () => {
      const before = await version();
      const user = newUser();
      const seen: Promise<number>[] = [];
      const undone = changeAccess(store, async (access) => {
        await access.insertUser(user);
        seen.push(version());
        throw new Error('undone');
      });
      await assert.rejects(undone, /undone/);
      assert.deepEqual(await Promise.all(seen), [before]);
      assert.equal(await version(), before);
      assert.equal(await store.read.access.user(ACCOUNT, user.name), undefined);
    });

    it('rises for each of changes that meet', async () => {
      const before = await version();
      await Promise.all(Array.from({ length: 50 }, () => addUser(store)));
      assert.ok((await version()) >= before + 50);
    });
  });
}

const USER = newUser({ name: 'user' });
const GROUP = newGroup({ name: 'group' });
const ROLE = newRole({ name: 'role' });
const KEY = newAccessKey({ userName: USER.name });
const TOKEN = newRobotToken();
const PROVIDER = newIdentityProvider();
const HOLDER = { accountId: ACCOUNT, kind: 'user', name: USER.name } as const;

/** In an order in which each changes something. */
const CHANGES: readonly (readonly [Change, (access: AccessRecords, repositoryId: number) => Promise<unknown>])[] = [
  ['insertGroup', (access) => access.insertGroup(GROUP)],
  ['insertUser', (access) => access.insertUser(USER)],
  ['insertRole', (access) => access.insertRole(ROLE)],
  ['updateRole', (access) => access.updateRole(ACCOUNT, ROLE.name, { trustPolicy: 'changed' })],
  ['updateRole', (access) => access.updateRole(ACCOUNT, ROLE.name, { sessionSecondsMax: 901 })],
  ['addToGroup', (access) => access.addToGroup(ACCOUNT, GROUP.name, USER.name)],
  ['removeFromGroup', (access) => access.removeFromGroup(ACCOUNT, GROUP.name, USER.name)],
  ['insertAccessKey', (access) => access.insertAccessKey(KEY)],
  ['setAccessKeyActive', (access) => access.setAccessKeyActive(KEY.id, false)],
  ['deleteAccessKey', (access) => access.deleteAccessKey(KEY.id)],
  ['attachPolicy', (access) => access.attachPolicy({ holder: HOLDER, name: 'p', document: 'first' })],
  ['attachPolicy', (access) => access.attachPolicy({ holder: HOLDER, name: 'p', document: 'second' })],
  ['detachPolicy', (access) => access.detachPolicy(HOLDER, 'p')],
  ['insertRobotToken', (access) => access.insertRobotToken(TOKEN)],
  ['deleteRobotToken', (access) => access.deleteRobotToken(TOKEN.id)],
  ['putIdentityProvider', (access) => access.putIdentityProvider(PROVIDER)],
  ['putIdentityProvider', (access) => access.putIdentityProvider({ ...PROVIDER, audiences: ['changed'] })],
  ['deleteIdentityProvider', (access) => access.deleteIdentityProvider(ACCOUNT, PROVIDER.issuer)],
  ['putRepositoryPolicy', (access, id) => access.putRepositoryPolicy(id, 'first')],
  ['putRepositoryPolicy', (access, id) => access.putRepositoryPolicy(id, 'second')],
  ['putRepositoryPolicy', (access, id) => access.putRepositoryPolicy(id, undefined)],
  ['putRegistryPolicy', (access) => access.putRegistryPolicy(REGISTRY, 'first')],
  ['putRegistryPolicy', (access) => access.putRegistryPolicy(REGISTRY, 'second')],
  ['putRegistryPolicy', (access) => access.putRegistryPolicy(REGISTRY, undefined)],
  ['deleteRole', (access) => access.deleteRole(ACCOUNT, ROLE.name)],
  ['deleteGroup', (access) => access.deleteGroup(ACCOUNT, GROUP.name)],
  ['deleteUser', (access) => access.deleteUser(ACCOUNT, USER.name)],
];
