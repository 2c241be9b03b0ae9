import type { MetadataStore } from '../metadata-store.ts';
import type { Registry } from '../values/registry.ts';
import { parseIdentityArn } from './arn.ts';
import type { Caller } from './caller.ts';
import type { AccessKey, AttachedPolicy, PolicyHolder, RobotToken, Role, User } from './identity-records.ts';
import { type NamedPolicy, parsePolicy } from './policy/document.ts';
import { managedPolicy } from './policy/managed-policies.ts';

/**
 * Who exists and which policies are theirs, kept in memory until the store's access version rises. So a decision reads
 * no identities from the store, and a change counts everywhere as soon as the version is seen.
 */
export interface Directory {
  user(accountId: string, name: string): Promise<User | undefined>;
  role(accountId: string, name: string): Promise<Role | undefined>;
  accessKey(id: string): Promise<AccessKey | undefined>;
  robotToken(id: string): Promise<RobotToken | undefined>;
  /** Whether the caller is still who it was: user, role, key and robot token exist, and the key is active. */
  isValid(caller: Caller): Promise<boolean>;
  /** Policies attached to the caller's user (with its groups') or role. */
  identityPolicies(caller: Caller): Promise<readonly NamedPolicy[]>;
  /** Of a repository by its name, for a decision needs no more of it; undefined also when there is no such repository. */
  repositoryPolicy(registry: Registry, repositoryName: string): Promise<NamedPolicy | undefined>;
  registryPolicy(registry: Registry): Promise<NamedPolicy | undefined>;
  /** Forgets what is kept if the store's version has risen; to be called twice a second, and after every change of our own. */
  refresh(): Promise<void>;
}

/** More than any server has principals and repositories in use at once; bounds memory. */
const KEPT_MAX = 100_000;

export function createDirectory({ read }: MetadataStore): Directory {
  let version = -1;
  let kept = new Map<string, Promise<unknown>>();

  const keeping = <T>(key: string, load: () => Promise<T>): Promise<T> => {
    const present = kept.get(key) as Promise<T> | undefined;
    if (present) return present;
    if (kept.size >= KEPT_MAX) kept = new Map();
    const into = kept;
    const loading = load();
    into.set(key, loading);
    loading.catch(() => into.delete(key));
    return loading;
  };

  const directory: Directory = {
    user: (accountId, name) => keeping(`user ${accountId} ${name}`, () => read.access.user(accountId, name)),
    role: (accountId, name) => keeping(`role ${accountId} ${name}`, () => read.access.role(accountId, name)),
    accessKey: (id) => keeping(`key ${id}`, () => read.access.accessKey(id)),
    robotToken: (id) => keeping(`robot ${id}`, () => read.access.robotToken(id)),

    async isValid(caller) {
      if (caller.robotTokenId !== undefined && !(await directory.robotToken(caller.robotTokenId))) return false;
      if (caller.accessKeyId !== undefined && caller.kind !== 'assumed-role') {
        if (!(await directory.accessKey(caller.accessKeyId))?.isActive) return false;
      }
      if (caller.kind === 'user') return sameId(await directory.user(caller.accountId, caller.userName ?? ''), caller);
      if (caller.kind !== 'assumed-role') return true;
      const role = parseIdentityArn(caller.roleArn ?? '');
      const present = role && (await directory.role(role.accountId, role.name));
      return present !== undefined && caller.userId.startsWith(present.roleId);
    },

    identityPolicies: (caller) =>
      keeping(`policies ${caller.kind} ${caller.roleArn ?? caller.arn}`, async () => {
        const holders = await holdersOf(directory, caller);
        const attached = await Promise.all(holders.map((holder) => read.access.attachedPolicies(holder)));
        return attached.flat().map(toNamedPolicy);
      }),

    repositoryPolicy: (registry, repositoryName) =>
      keeping(`repository ${registry.accountId} ${registry.region} ${repositoryName}`, async () => {
        const repository = await read.repositories.find(registry, repositoryName);
        const text = repository && (await read.access.repositoryPolicy(repository.id));
        return text === undefined
          ? undefined
          : { name: 'repository policy', document: parsePolicy(text, 'repository') };
      }),

    registryPolicy: (registry) =>
      keeping(`registry ${registry.accountId} ${registry.region}`, async () => {
        const text = await read.access.registryPolicy(registry);
        return text === undefined ? undefined : { name: 'registry policy', document: parsePolicy(text, 'registry') };
      }),

    async refresh() {
      const present = await read.access.version();
      if (present === version) return;
      version = present;
      kept = new Map();
    },
  };
  return directory;
}

/** A user that was deleted and made again under its name is another. */
function sameId(user: User | undefined, caller: Caller): boolean {
  return user !== undefined && user.userId === caller.userId;
}

async function holdersOf(directory: Directory, caller: Caller): Promise<PolicyHolder[]> {
  const { accountId } = caller;
  if (caller.kind === 'user') {
    const name = caller.userName ?? '';
    const user = await directory.user(accountId, name);
    const groups = (user?.groups ?? []).map((group): PolicyHolder => ({ accountId, kind: 'group', name: group }));
    return [{ accountId, kind: 'user', name }, ...groups];
  }
  const role = parseIdentityArn(caller.roleArn ?? '');
  return role ? [{ accountId: role.accountId, kind: 'role', name: role.name }] : [];
}

function toNamedPolicy({ holder, name, document, managedArn }: AttachedPolicy): NamedPolicy {
  if (managedArn !== undefined) return { name, document: managedPolicy(managedArn).document };
  return { name: `${holder.kind}/${holder.name}: ${name}`, document: parsePolicy(document ?? '', 'identity') };
}
