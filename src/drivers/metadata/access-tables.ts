import type { PolicyHolder } from '../../core/access/identity-records.ts';

/** The tables of who may do what; columns are as `Tables` says. */
export interface AccessTables {
  access_version: AccessVersionTable;
  users: UsersTable;
  user_groups: UserGroupsTable;
  memberships: MembershipsTable;
  roles: RolesTable;
  access_keys: AccessKeysTable;
  attached_policies: AttachedPoliciesTable;
  robot_tokens: RobotTokensTable;
  identity_providers: IdentityProvidersTable;
  repository_policies: RepositoryPoliciesTable;
  registry_policies: RegistryPoliciesTable;
}

/** Has one row, whose id is 1. */
interface AccessVersionTable {
  id: number;
  version: number;
}

interface UsersTable {
  account: string;
  name: string;
  user_id: string;
  created_at: number;
}

/** Not `groups`, which databases reserve. */
export interface UserGroupsTable {
  account: string;
  name: string;
  created_at: number;
}

interface MembershipsTable {
  account: string;
  user_name: string;
  group_name: string;
}

export interface RolesTable {
  account: string;
  name: string;
  role_id: string;
  trust_policy: string;
  session_seconds_max: number;
  created_at: number;
}

export interface AccessKeysTable {
  id: string;
  account: string;
  /** Null for the account's root. */
  user_name: string | null;
  sealed_secret: Uint8Array;
  is_active: number;
  created_at: number;
}

/** Its holder is in one of three tables: statements that make or end a row look after what a foreign key would. */
interface AttachedPoliciesTable {
  account: string;
  holder_kind: PolicyHolder['kind'];
  holder_name: string;
  name: string;
  document: string | null;
  managed_arn: string | null;
}

export interface RobotTokensTable {
  id: string;
  account: string;
  principal_arn: string;
  secret_sha256: Uint8Array;
  actions_json: string;
  repositories_json: string;
  created_at: number;
  expires_at: number;
  last_used_at: number | null;
}

export interface IdentityProvidersTable {
  account: string;
  issuer: string;
  audiences_json: string;
  created_at: number;
}

interface RepositoryPoliciesTable {
  repository_id: number;
  document: string;
}

interface RegistryPoliciesTable {
  account: string;
  region: string;
  document: string;
}
