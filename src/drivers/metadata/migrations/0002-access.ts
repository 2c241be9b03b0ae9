import type { CreateIndexBuilder, CreateTableBuilder } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import { run, type Session } from '../session.ts';

/**
 * account ─┬─< users ─┬─< access_keys         (those of no user are the root's)
 *          │          ├─< memberships >─┐
 *          │          └─< attached_policies
 *          ├─< user_groups ─────────────┘ ─< attached_policies
 *          ├─< roles ─< attached_policies
 *          ├─< robot_tokens
 *          └─< identity_providers
 * registry ─┬─ registry_policies
 *           └─< repositories ── repository_policies
 *
 * What a row hangs on takes it along when deleted; of attached policies the records see to that.
 */
export async function accessTables(session: Session): Promise<void> {
  const { dialect } = session;
  for (const table of tables(dialect)) await run(session, table);
  for (const index of indexes(dialect)) await run(session, index);
  await run(session, dialect.build.insertInto('access_version').values({ id: 1, version: 0 }));
}

type Table = CreateTableBuilder<string, string>;

function tables(dialect: SqlDialect): Table[] {
  return [
    accessVersion(dialect),
    users(dialect),
    userGroups(dialect),
    memberships(dialect),
    roles(dialect),
    accessKeys(dialect),
    attachedPolicies(dialect),
    robotTokens(dialect),
    identityProviders(dialect),
    repositoryPolicies(dialect),
    registryPolicies(dialect),
  ] as unknown as Table[];
}

function accessVersion({ build, types }: SqlDialect) {
  return build.schema
    .createTable('access_version')
    .addColumn('id', types.integer, (column) => column.primaryKey())
    .addColumn('version', types.integer, (column) => column.notNull());
}

function users({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('users')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('user_id', types.text, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('users_by_name', ['account', 'name'])
    .addUniqueConstraint('users_by_id', ['user_id'])
    .modifyEnd(keptByPrimaryKey);
}

function userGroups({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('user_groups')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('user_groups_by_name', ['account', 'name'])
    .modifyEnd(keptByPrimaryKey);
}

function memberships({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('memberships')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('user_name', types.text, (column) => column.notNull())
    .addColumn('group_name', types.text, (column) => column.notNull())
    .addPrimaryKeyConstraint('memberships_by_user', ['account', 'user_name', 'group_name'])
    .addForeignKeyConstraint('memberships_of_user', ['account', 'user_name'], 'users', ['account', 'name'], (key) =>
      key.onDelete('cascade'),
    )
    .addForeignKeyConstraint(
      'memberships_of_group',
      ['account', 'group_name'],
      'user_groups',
      ['account', 'name'],
      (key) => key.onDelete('cascade'),
    )
    .modifyEnd(keptByPrimaryKey);
}

function roles({ build, types }: SqlDialect) {
  return build.schema
    .createTable('roles')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('role_id', types.text, (column) => column.notNull())
    .addColumn('trust_policy', types.text, (column) => column.notNull())
    .addColumn('session_seconds_max', types.integer, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('roles_by_name', ['account', 'name'])
    .addUniqueConstraint('roles_by_id', ['role_id']);
}

function accessKeys({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('access_keys')
    .addColumn('id', types.text, (column) => column.notNull().primaryKey())
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('user_name', types.text)
    .addColumn('sealed_secret', types.bytes, (column) => column.notNull())
    .addColumn('is_active', types.integer, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addForeignKeyConstraint('access_keys_of_user', ['account', 'user_name'], 'users', ['account', 'name'], (key) =>
      key.onDelete('cascade'),
    )
    .modifyEnd(keptByPrimaryKey);
}

function attachedPolicies({ build, types }: SqlDialect) {
  return build.schema
    .createTable('attached_policies')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('holder_kind', types.text, (column) => column.notNull())
    .addColumn('holder_name', types.text, (column) => column.notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('document', types.text)
    .addColumn('managed_arn', types.text)
    .addPrimaryKeyConstraint('attached_policies_by_name', ['account', 'holder_kind', 'holder_name', 'name']);
}

function robotTokens({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('robot_tokens')
    .addColumn('id', types.text, (column) => column.notNull().primaryKey())
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('principal_arn', types.text, (column) => column.notNull())
    .addColumn('secret_sha256', types.bytes, (column) => column.notNull())
    .addColumn('actions_json', types.text, (column) => column.notNull())
    .addColumn('repositories_json', types.text, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('expires_at', types.integer, (column) => column.notNull())
    .addColumn('last_used_at', types.integer)
    .modifyEnd(keptByPrimaryKey);
}

function identityProviders({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('identity_providers')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('issuer', types.text, (column) => column.notNull())
    .addColumn('audiences_json', types.text, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('identity_providers_by_issuer', ['account', 'issuer'])
    .modifyEnd(keptByPrimaryKey);
}

function repositoryPolicies({ build, types }: SqlDialect) {
  return build.schema
    .createTable('repository_policies')
    .addColumn('repository_id', types.integer, (column) =>
      column.primaryKey().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('document', types.text, (column) => column.notNull());
}

function registryPolicies({ build, types }: SqlDialect) {
  return build.schema
    .createTable('registry_policies')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('document', types.text, (column) => column.notNull())
    .addPrimaryKeyConstraint('registry_policies_by_registry', ['account', 'region']);
}

function indexes({ build: { schema } }: SqlDialect): CreateIndexBuilder[] {
  return [
    schema.createIndex('memberships_by_group').on('memberships').columns(['account', 'group_name']),
    // The user first: whether there is any root key is asked of all accounts.
    schema.createIndex('access_keys_by_user').on('access_keys').columns(['user_name', 'account', 'created_at', 'id']),
    schema.createIndex('robot_tokens_by_account').on('robot_tokens').columns(['account', 'created_at', 'id']),
  ] as unknown as CreateIndexBuilder[];
}
