import type { CoreDependencies } from '../dependencies.ts';
import type { Records } from '../metadata-store.ts';
import { parseIdentityArn, roleArn, userArn } from './arn.ts';
import { newAccessKeyId, newSecretAccessKey } from './identifiers.ts';
import type { AccessKey, AttachedPolicy, PolicyHolder, Role, User } from './identity-records.ts';
import { parsePolicy } from './policy/document.ts';
import { findManagedPolicy } from './policy/managed-policies.ts';
import type { SecretBox } from './secret-box.ts';

/** Something asked for is not there, is there already, or makes no sense; the message says which. */
export class IdentityError extends Error {
  constructor(message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = 'IdentityError';
  }
}

export interface NewAccessKey {
  readonly accessKeyId: string;
  /** Shown once: it is kept sealed from here on. */
  readonly secretAccessKey: string;
}

/** Administration of who there is. Throws IdentityError and, for a bad document, PolicyError. */
export interface Identities {
  createUser(accountId: string, name: string): Promise<User & { arn: string }>;
  deleteUser(accountId: string, name: string): Promise<void>;
  createRole(
    accountId: string,
    name: string,
    trustPolicy: string,
    sessionSecondsMax: number,
  ): Promise<Role & { arn: string }>;
  deleteRole(accountId: string, name: string): Promise<void>;
  createGroup(accountId: string, name: string): Promise<void>;
  deleteGroup(accountId: string, name: string): Promise<void>;
  addToGroup(accountId: string, groupName: string, userName: string): Promise<void>;
  removeFromGroup(accountId: string, groupName: string, userName: string): Promise<void>;
  /** Of a user, or of the account's root when no name is given. `given` are an id and secret made elsewhere. */
  createAccessKey(accountId: string, userName: string | undefined, given?: NewAccessKey): Promise<NewAccessKey>;
  /** Gives the root of an account a key while no root has one. @returns false when one has, by another server maybe */
  createFirstRootKey(accountId: string, given: NewAccessKey): Promise<boolean>;
  setAccessKeyActive(id: string, isActive: boolean): Promise<void>;
  deleteAccessKey(id: string): Promise<void>;
  /** A document of its own (JSON text), or the name or ARN of a managed policy. */
  attachPolicy(holder: PolicyHolder, policy: { name: string; document: string } | { managed: string }): Promise<string>;
  detachPolicy(holder: PolicyHolder, name: string): Promise<void>;
}

/** IAM's own limit for names of users, roles and groups. */
const NAME = /^[\w+=,.@-]{1,64}$/;
/** IAM: two keys a user. */
const KEYS_MAX = 2;

export function createIdentities(
  { metadata, now, randomBytes, settings }: CoreDependencies,
  box: SecretBox,
): Identities {
  const { partition } = settings;
  const change = <T>(work: (access: Records['access']) => Promise<T>) =>
    metadata.transaction('registry', (records) => work(records.access));
  const existing = (found: boolean, what: string) => {
    if (!found) throw new IdentityError(`There is no ${what}`);
  };
  const sealedKey = (accountId: string, { accessKeyId: id, secretAccessKey }: NewAccessKey): AccessKey => ({
    id,
    accountId,
    sealedSecret: box.seal(secretAccessKey, id),
    isActive: true,
    createdAt: now(),
  });

  return {
    async createUser(accountId, name) {
      checkName(name);
      const user: User = { accountId, name, userId: newAccessKeyId('AIDA', randomBytes), groups: [], createdAt: now() };
      if (!(await change((access) => access.insertUser(user)))) throw taken('user', name, accountId);
      return { ...user, arn: userArn(partition, accountId, name) };
    },
    async deleteUser(accountId, name) {
      const deleted = await change(async (access) => {
        await revokeRobots(access, { accountId, kind: 'user', name });
        return access.deleteUser(accountId, name);
      });
      existing(deleted, `user '${name}' in account ${accountId}`);
    },

    async createRole(accountId, name, trustPolicy, sessionSecondsMax) {
      checkName(name);
      parsePolicy(trustPolicy, 'trust');
      const roleId = newAccessKeyId('AROA', randomBytes);
      const role: Role = { accountId, name, roleId, trustPolicy, sessionSecondsMax, createdAt: now() };
      if (!(await change((access) => access.insertRole(role)))) throw taken('role', name, accountId);
      return { ...role, arn: roleArn(partition, accountId, name) };
    },
    async deleteRole(accountId, name) {
      const deleted = await change(async (access) => {
        await revokeRobots(access, { accountId, kind: 'role', name });
        return access.deleteRole(accountId, name);
      });
      existing(deleted, `role '${name}' in account ${accountId}`);
    },

    async createGroup(accountId, name) {
      checkName(name);
      const group = { accountId, name, createdAt: now() };
      if (!(await change((access) => access.insertGroup(group)))) throw taken('group', name, accountId);
    },
    async deleteGroup(accountId, name) {
      existing(
        await change((access) => access.deleteGroup(accountId, name)),
        `group '${name}' in account ${accountId}`,
      );
    },
    async addToGroup(accountId, groupName, userName) {
      await change(async (access) => {
        existing(
          (await access.group(accountId, groupName)) !== undefined,
          `group '${groupName}' in account ${accountId}`,
        );
        existing((await access.user(accountId, userName)) !== undefined, `user '${userName}' in account ${accountId}`);
        await access.addToGroup(accountId, groupName, userName);
      });
    },
    async removeFromGroup(accountId, groupName, userName) {
      const removed = await change((access) => access.removeFromGroup(accountId, groupName, userName));
      existing(removed, `user '${userName}' in group '${groupName}'`);
    },

    createAccessKey: (accountId, userName, given) =>
      change(async (access) => {
        if (given && (await access.accessKey(given.accessKeyId))) {
          throw new IdentityError(`There is an access key '${given.accessKeyId}' already`);
        }
        if (userName !== undefined) {
          const user = await access.user(accountId, userName);
          existing(user !== undefined, `user '${userName}' in account ${accountId}`);
        }
        if ((await access.accessKeys(accountId, userName)).length >= KEYS_MAX) {
          throw new IdentityError(`${userName ?? 'root'} has ${KEYS_MAX} access keys already; delete one first`);
        }
        const accessKeyId = given?.accessKeyId ?? newAccessKeyId('AKIA', randomBytes);
        const secretAccessKey = given?.secretAccessKey ?? newSecretAccessKey(randomBytes);
        const key = sealedKey(accountId, { accessKeyId, secretAccessKey });
        await access.insertAccessKey(userName === undefined ? key : { ...key, userName });
        return { accessKeyId, secretAccessKey };
      }),
    createFirstRootKey: (accountId, given) =>
      change(async (access) => {
        if (await access.hasRootKey()) return false;
        await access.insertAccessKey(sealedKey(accountId, given));
        return true;
      }),
    async setAccessKeyActive(id, isActive) {
      existing(await change((access) => access.setAccessKeyActive(id, isActive)), `access key '${id}'`);
    },
    async deleteAccessKey(id) {
      existing(await change((access) => access.deleteAccessKey(id)), `access key '${id}'`);
    },

    async attachPolicy(holder, policy) {
      const attached = attachedPolicyOf(holder, policy);
      await change(async (access) => {
        existing(await holderExists(access, holder), `${holder.kind} '${holder.name}' in account ${holder.accountId}`);
        await access.attachPolicy(attached);
      });
      return attached.name;
    },
    async detachPolicy(holder, name) {
      const detached = await change((access) => access.detachPolicy(holder, name));
      existing(detached, `policy '${name}' attached to ${holder.kind} '${holder.name}'`);
    },
  };
}

function attachedPolicyOf(
  holder: PolicyHolder,
  policy: { name: string; document: string } | { managed: string },
): AttachedPolicy {
  if ('managed' in policy) {
    const managed = findManagedPolicy(policy.managed);
    if (!managed) throw new IdentityError(`There is no managed policy '${policy.managed}'`);
    return { holder, name: managed.name, managedArn: managed.arn };
  }
  checkName(policy.name);
  parsePolicy(policy.document, 'identity');
  return { holder, ...policy };
}

async function holderExists(access: Records['access'], { accountId, kind, name }: PolicyHolder): Promise<boolean> {
  const found = { user: access.user, group: access.group, role: access.role }[kind](accountId, name);
  return (await found) !== undefined;
}

/** A robot token names its principal by ARN: it must not act for the next one of that name. */
async function revokeRobots(access: Records['access'], { accountId, kind, name }: PolicyHolder): Promise<void> {
  for (const { id, principalArn } of await access.robotTokens(accountId)) {
    const principal = parseIdentityArn(principalArn);
    if (principal?.kind === kind && principal.name === name) await access.deleteRobotToken(id);
  }
}

function checkName(name: string): void {
  if (!NAME.test(name)) throw new IdentityError(`'${name}' is no name: up to 64 letters, digits and + = , . @ _ -`);
}

function taken(what: string, name: string, accountId: string): IdentityError {
  return new IdentityError(`Account ${accountId} has a ${what} '${name}' already`);
}
