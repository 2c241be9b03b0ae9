import { randomUUID } from 'node:crypto';
import type {
  AccessKey,
  AccessRecords,
  Group,
  IdentityProvider,
  PolicyHolder,
  RobotToken,
  Role,
  User,
} from '../../../src/core/access/identity-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import { MOMENT, minutesLater } from './driver.ts';

export const ACCOUNT = '000000000000';
export const OTHER_ACCOUNT = '111111111111';

/** One change of access in a transaction of its own. */
export function changeAccess<T>(store: MetadataStore, work: (access: AccessRecords) => Promise<T>): Promise<T> {
  return store.transaction('alone', ({ access }) => work(access));
}

export function newUser(changes: Partial<User> = {}): User {
  const name = changes.name ?? randomUUID();
  return { accountId: ACCOUNT, name, userId: `AIDA${randomUUID()}`, groups: [], createdAt: MOMENT, ...changes };
}

export async function addUser(store: MetadataStore, changes: Partial<User> = {}): Promise<User> {
  const user = newUser(changes);
  await changeAccess(store, (access) => access.insertUser(user));
  return user;
}

export function newGroup(changes: Partial<Group> = {}): Group {
  return { accountId: ACCOUNT, name: randomUUID(), createdAt: MOMENT, ...changes };
}

export async function addGroup(store: MetadataStore, changes: Partial<Group> = {}): Promise<Group> {
  const group = newGroup(changes);
  await changeAccess(store, (access) => access.insertGroup(group));
  return group;
}

export function newRole(changes: Partial<Role> = {}): Role {
  return {
    accountId: ACCOUNT,
    name: randomUUID(),
    roleId: `AROA${randomUUID()}`,
    trustPolicy: '{ "Statement": [] }',
    sessionSecondsMax: 3600,
    createdAt: MOMENT,
    ...changes,
  };
}

export async function addRole(store: MetadataStore, changes: Partial<Role> = {}): Promise<Role> {
  const role = newRole(changes);
  await changeAccess(store, (access) => access.insertRole(role));
  return role;
}

/** A key of the account's root, unless changed. */
export function newAccessKey(changes: Partial<AccessKey> = {}): AccessKey {
  return {
    id: `AKIA${randomUUID()}`,
    accountId: ACCOUNT,
    sealedSecret: new Uint8Array([0, 128, 255]),
    isActive: true,
    createdAt: MOMENT,
    ...changes,
  };
}

export async function addAccessKey(store: MetadataStore, changes: Partial<AccessKey> = {}): Promise<AccessKey> {
  const key = newAccessKey(changes);
  await changeAccess(store, (access) => access.insertAccessKey(key));
  return key;
}

export function newRobotToken(changes: Partial<RobotToken> = {}): RobotToken {
  return {
    id: randomUUID(),
    accountId: ACCOUNT,
    principalArn: `arn:aws:iam::${ACCOUNT}:user/robot`,
    secretSha256: new Uint8Array([7, 0, 255]),
    actions: ['pull', 'delete'],
    repositories: ['team/*', '"quoted"'],
    createdAt: MOMENT,
    expiresAt: minutesLater(90 * 24 * 60),
    ...changes,
  };
}

export async function addRobotToken(store: MetadataStore, changes: Partial<RobotToken> = {}): Promise<RobotToken> {
  const token = newRobotToken(changes);
  await changeAccess(store, (access) => access.insertRobotToken(token));
  return token;
}

export function newIdentityProvider(changes: Partial<IdentityProvider> = {}): IdentityProvider {
  return {
    accountId: ACCOUNT,
    issuer: `https://issuer.example/${randomUUID()}`,
    audiences: ['sts.amazonaws.com', ''],
    createdAt: MOMENT,
    ...changes,
  };
}

export async function addIdentityProvider(
  store: MetadataStore,
  changes: Partial<IdentityProvider> = {},
): Promise<IdentityProvider> {
  const provider = newIdentityProvider(changes);
  await changeAccess(store, (access) => access.putIdentityProvider(provider));
  return provider;
}

export function holderOf(kind: PolicyHolder['kind'], { accountId, name }: Group): PolicyHolder {
  return { accountId, kind, name };
}
