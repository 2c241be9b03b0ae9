import type { CreateIndexBuilder, CreateTableBuilder } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import { run, type Session } from '../session.ts';

/**
 * registry ─┬─< creation_templates
 *           ├─< pull_through_cache_rules    (may name a secret)
 *           ├─< secrets
 *           ├── replication_configurations
 *           └─< backfills ─< backfill_results
 * peers                                     (registries elsewhere, by account and region)
 * repositories ─< cache_checks              (when a cached tag was last compared with its upstream)
 * images ─< image_replications              (by destination and tag)
 */
export async function registryFeatureTables(session: Session): Promise<void> {
  const { dialect } = session;
  for (const table of tables(dialect)) await run(session, table);
  for (const index of indexes(dialect)) await run(session, index);
}

type Table = CreateTableBuilder<string, string>;

function tables(dialect: SqlDialect): Table[] {
  return [
    creationTemplates(dialect),
    pullThroughCacheRules(dialect),
    secrets(dialect),
    cacheChecks(dialect),
    replicationConfigurations(dialect),
    peers(dialect),
    imageReplications(dialect),
    backfills(dialect),
    backfillResults(dialect),
  ] as unknown as Table[];
}

function creationTemplates({ build, types }: SqlDialect) {
  return build.schema
    .createTable('creation_templates')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('prefix', types.text, (column) => column.notNull())
    .addColumn('settings_json', types.text, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('creation_templates_by_prefix', ['account', 'region', 'prefix']);
}

function pullThroughCacheRules({ build, types }: SqlDialect) {
  return build.schema
    .createTable('pull_through_cache_rules')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('prefix', types.text, (column) => column.notNull())
    .addColumn('upstream_prefix', types.text)
    .addColumn('upstream_url', types.text, (column) => column.notNull())
    .addColumn('upstream_registry', types.text)
    .addColumn('credential_arn', types.text)
    .addColumn('custom_role_arn', types.text)
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('pull_through_cache_rules_by_prefix', ['account', 'region', 'prefix']);
}

function secrets({ build, types }: SqlDialect) {
  return build.schema
    .createTable('secrets')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('arn', types.text, (column) => column.notNull())
    .addColumn('sealed_value', types.bytes, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('secrets_by_name', ['account', 'region', 'name'])
    .addUniqueConstraint('secrets_by_arn', ['arn']);
}

function cacheChecks({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('cache_checks')
    .addColumn('repository_id', types.integer, (column) =>
      column.notNull().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('tag', types.text, (column) => column.notNull())
    .addColumn('digest', types.text, (column) => column.notNull())
    .addColumn('checked_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('cache_checks_by_tag', ['repository_id', 'tag'])
    .modifyEnd(keptByPrimaryKey);
}

function replicationConfigurations({ build, types }: SqlDialect) {
  return build.schema
    .createTable('replication_configurations')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('rules_json', types.text, (column) => column.notNull())
    .addPrimaryKeyConstraint('replication_configurations_by_registry', ['account', 'region']);
}

function peers({ build, types }: SqlDialect) {
  return build.schema
    .createTable('peers')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('url', types.text, (column) => column.notNull())
    .addColumn('settings_json', types.text, (column) => column.notNull())
    .addColumn('sealed_secret', types.bytes)
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('peers_by_registry', ['account', 'region']);
}

function imageReplications({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('image_replications')
    .addColumn('image_id', types.integer, (column) => column.notNull().references('images.id').onDelete('cascade'))
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('tag', types.text, (column) => column.notNull())
    .addColumn('status', types.text, (column) => column.notNull())
    .addColumn('failure_code', types.text)
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('image_replications_by_destination', ['image_id', 'account', 'region', 'tag'])
    .modifyEnd(keptByPrimaryKey);
}

function backfills({ build, types }: SqlDialect) {
  return build.schema
    .createTable('backfills')
    .addColumn('id', types.text, (column) => column.notNull().primaryKey())
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('destination_account', types.text, (column) => column.notNull())
    .addColumn('destination_region', types.text, (column) => column.notNull())
    .addColumn('status', types.text, (column) => column.notNull())
    .addColumn('failure_code', types.text)
    .addColumn('total', types.integer, (column) => column.notNull())
    .addColumn('completed', types.integer, (column) => column.notNull())
    .addColumn('failed', types.integer, (column) => column.notNull())
    .addColumn('failure_codes_json', types.text, (column) => column.notNull())
    .addColumn('started_at', types.integer, (column) => column.notNull())
    .addColumn('ended_at', types.integer);
}

function backfillResults({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('backfill_results')
    .addColumn('backfill_id', types.text, (column) => column.notNull().references('backfills.id').onDelete('cascade'))
    .addColumn('position', types.integer, (column) => column.notNull())
    .addColumn('repository_name', types.text, (column) => column.notNull())
    .addColumn('digest', types.text, (column) => column.notNull())
    .addColumn('tag', types.text, (column) => column.notNull())
    .addColumn('status', types.text)
    .addColumn('failure_code', types.text)
    .addColumn('sub_failure_codes_json', types.text)
    .addPrimaryKeyConstraint('backfill_results_in_order', ['backfill_id', 'position'])
    .modifyEnd(keptByPrimaryKey);
}

function indexes({ build: { schema } }: SqlDialect): CreateIndexBuilder[] {
  return [
    schema.createIndex('backfills_by_registry').on('backfills').columns(['account', 'region', 'started_at', 'id']),
  ] as unknown as CreateIndexBuilder[];
}
