import type { Registry } from '../values/registry.ts';

/** Somebody with access keys of their own. */
export interface User {
  readonly accountId: string;
  readonly name: string;
  /** `AIDA…`, unique for ever. */
  readonly userId: string;
  readonly groups: readonly string[];
  readonly createdAt: Date;
}

/** What callers become for a while through STS. */
export interface Role {
  readonly accountId: string;
  readonly name: string;
  /** `AROA…`, unique for ever. */
  readonly roleId: string;
  /** Who may assume it: a policy document, verbatim. */
  readonly trustPolicy: string;
  readonly sessionSecondsMax: number;
  readonly createdAt: Date;
}

/** Users that share policies. */
export interface Group {
  readonly accountId: string;
  readonly name: string;
  readonly createdAt: Date;
}

export interface AccessKey {
  /** `AKIA…`. */
  readonly id: string;
  readonly accountId: string;
  /** Undefined for the account's root. */
  readonly userName?: string;
  /** Sealed under the server's key file: SigV4 needs the secret itself. */
  readonly sealedSecret: Uint8Array;
  readonly isActive: boolean;
  readonly createdAt: Date;
}

/** Who a policy is attached to: `user/NAME`, `group/NAME` or `role/NAME` of an account. */
export interface PolicyHolder {
  readonly accountId: string;
  readonly kind: 'user' | 'group' | 'role';
  readonly name: string;
}

/** A policy of a holder: a document of its own, or the ARN of a managed policy. */
export interface AttachedPolicy {
  readonly holder: PolicyHolder;
  readonly name: string;
  /** The document, verbatim; undefined for a managed policy. */
  readonly document?: string;
  readonly managedArn?: string;
}

/** A long-lived password for hosts that cannot sign. */
export interface RobotToken {
  /** Short, travels with the token. */
  readonly id: string;
  readonly accountId: string;
  /** The ARN of the user or role it acts for. */
  readonly principalArn: string;
  readonly secretSha256: Uint8Array;
  readonly actions: readonly ('pull' | 'push' | 'delete')[];
  /** Wildcard patterns of repository names. */
  readonly repositories: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt?: Date;
}

/** An issuer whose tokens AssumeRoleWithWebIdentity takes. */
export interface IdentityProvider {
  readonly accountId: string;
  /** As in the token's `iss`, an https URL (http for loopback). */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly createdAt: Date;
}

export interface AccessReads {
  /** Rises with every change of who may do what; servers poll it. */
  version(): Promise<number>;
  user(accountId: string, name: string): Promise<User | undefined>;
  users(accountId: string): Promise<User[]>;
  role(accountId: string, name: string): Promise<Role | undefined>;
  roles(accountId: string): Promise<Role[]>;
  group(accountId: string, name: string): Promise<Group | undefined>;
  groups(accountId: string): Promise<Group[]>;
  accessKey(id: string): Promise<AccessKey | undefined>;
  /** Of a user, or of the account's root when no name is given; oldest first. */
  accessKeys(accountId: string, userName: string | undefined): Promise<AccessKey[]>;
  /** Whether any account has a root key. */
  hasRootKey(): Promise<boolean>;
  /** In the order of names. */
  attachedPolicies(holder: PolicyHolder): Promise<AttachedPolicy[]>;
  robotToken(id: string): Promise<RobotToken | undefined>;
  robotTokens(accountId: string): Promise<RobotToken[]>;
  identityProvider(accountId: string, issuer: string): Promise<IdentityProvider | undefined>;
  identityProviders(accountId: string): Promise<IdentityProvider[]>;
  /** The policy text of a repository, verbatim. */
  repositoryPolicy(repositoryId: number): Promise<string | undefined>;
  registryPolicy(registry: Registry): Promise<string | undefined>;
}

/** Every method that changes something raises the version in the same transaction, except `usedRobotToken`. */
export interface AccessRecords extends AccessReads {
  /** @returns false when the account has a user of that name */
  insertUser(user: User): Promise<boolean>;
  /** With its keys, policies and memberships. @returns whether there was one */
  deleteUser(accountId: string, name: string): Promise<boolean>;
  insertRole(role: Role): Promise<boolean>;
  updateRole(
    accountId: string,
    name: string,
    changes: Partial<Pick<Role, 'trustPolicy' | 'sessionSecondsMax'>>,
  ): Promise<void>;
  deleteRole(accountId: string, name: string): Promise<boolean>;
  insertGroup(group: Group): Promise<boolean>;
  /** With its policies and memberships. */
  deleteGroup(accountId: string, name: string): Promise<boolean>;
  /** @returns whether the membership is new */
  addToGroup(accountId: string, groupName: string, userName: string): Promise<boolean>;
  removeFromGroup(accountId: string, groupName: string, userName: string): Promise<boolean>;
  insertAccessKey(key: AccessKey): Promise<void>;
  setAccessKeyActive(id: string, isActive: boolean): Promise<boolean>;
  deleteAccessKey(id: string): Promise<boolean>;
  /** Adds, or replaces the one of that name. */
  attachPolicy(policy: AttachedPolicy): Promise<void>;
  detachPolicy(holder: PolicyHolder, name: string): Promise<boolean>;
  insertRobotToken(token: RobotToken): Promise<void>;
  deleteRobotToken(id: string): Promise<boolean>;
  usedRobotToken(id: string, at: Date): Promise<void>;
  /** Adds, or replaces the one of that issuer. */
  putIdentityProvider(provider: IdentityProvider): Promise<void>;
  deleteIdentityProvider(accountId: string, issuer: string): Promise<boolean>;
  /** Undefined deletes. */
  putRepositoryPolicy(repositoryId: number, text: string | undefined): Promise<void>;
  putRegistryPolicy(registry: Registry, text: string | undefined): Promise<void>;
}
