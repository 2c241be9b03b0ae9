import { type CreateIndexBuilder, type CreateTableBuilder, sql } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import { run, type Session } from '../session.ts';

/**
 * repositories ─┬─< images             (gain a status and its times)
 *               ├─< tag_changes        (by tag; what it was on, and who moved it)
 *               ├─< deleted_images     (kept a while, so that a deletion can be undone)
 *               ├── lifecycle_policies
 *               └── lifecycle_previews ─< lifecycle_preview_images
 * registry ─┬─< account_settings
 *           └─< pull_time_exclusions
 * event_targets    events    jobs    schedules     (hang on nothing; jobs name what they work on)
 */
export async function imageManagementTables(session: Session): Promise<void> {
  const { dialect } = session;
  for (const change of newColumns(dialect)) await run(session, change);
  for (const table of tables(dialect)) await run(session, table);
  for (const index of indexes(dialect)) await run(session, index);
}

type Table = CreateTableBuilder<string, string>;

function newColumns({ build, types }: SqlDialect) {
  const images = () => build.schema.alterTable('images');
  return [
    images().addColumn('status', types.text, (column) => column.notNull().defaultTo('ACTIVE')),
    images().addColumn('archived_at', types.integer),
    images().addColumn('activated_at', types.integer),
    images().addColumn('pulled_at', types.integer),
    build.schema
      .alterTable('layers')
      .addColumn('offered_until', types.integer, (column) => column.notNull().defaultTo(0)),
    build.schema.alterTable('blobs').addColumn('archived', types.integer, (column) => column.notNull().defaultTo(0)),
  ];
}

function tables(dialect: SqlDialect): Table[] {
  return [
    tagChanges(dialect),
    deletedImages(dialect),
    lifecyclePolicies(dialect),
    lifecyclePreviews(dialect),
    lifecyclePreviewImages(dialect),
    accountSettings(dialect),
    pullTimeExclusions(dialect),
    eventTargets(dialect),
    events(dialect),
    jobs(dialect),
    schedules(dialect),
  ] as unknown as Table[];
}

function tagChanges({ build, types }: SqlDialect) {
  return build.schema
    .createTable('tag_changes')
    .addColumn('id', types.id)
    .addColumn('repository_id', types.integer, (column) =>
      column.notNull().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('tag', types.text, (column) => column.notNull())
    .addColumn('digest', types.text)
    .addColumn('former_digest', types.text)
    .addColumn('cause', types.text, (column) => column.notNull())
    .addColumn('principal', types.text, (column) => column.notNull())
    .addColumn('changed_at', types.integer, (column) => column.notNull());
}

function deletedImages({ build, types }: SqlDialect) {
  return build.schema
    .createTable('deleted_images')
    .addColumn('repository_id', types.integer, (column) =>
      column.notNull().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('digest', types.text, (column) => column.notNull())
    .addColumn('media_type', types.text, (column) => column.notNull())
    .addColumn('subject_digest', types.text)
    .addColumn('manifest', types.bytes, (column) => column.notNull())
    .addColumn('tags_json', types.text, (column) => column.notNull())
    .addColumn('pushed_at', types.integer, (column) => column.notNull())
    .addColumn('cause', types.text, (column) => column.notNull())
    .addColumn('principal', types.text, (column) => column.notNull())
    .addColumn('deleted_at', types.integer, (column) => column.notNull())
    .addColumn('kept_until', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('deleted_images_by_digest', ['repository_id', 'digest']);
}

function lifecyclePolicies({ build, types }: SqlDialect) {
  return build.schema
    .createTable('lifecycle_policies')
    .addColumn('repository_id', types.integer, (column) =>
      column.primaryKey().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('document', types.text, (column) => column.notNull())
    .addColumn('evaluated_at', types.integer);
}

function lifecyclePreviews({ build, types }: SqlDialect) {
  return build.schema
    .createTable('lifecycle_previews')
    .addColumn('repository_id', types.integer, (column) =>
      column.primaryKey().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('id', types.text, (column) => column.notNull())
    .addColumn('document', types.text, (column) => column.notNull())
    .addColumn('status', types.text, (column) => column.notNull())
    .addColumn('started_at', types.integer, (column) => column.notNull())
    .addColumn('expiring', types.integer, (column) => column.notNull())
    .addColumn('transitioning', types.integer, (column) => column.notNull());
}

function lifecyclePreviewImages({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('lifecycle_preview_images')
    .addColumn('repository_id', types.integer, (column) =>
      column.notNull().references('lifecycle_previews.repository_id').onDelete('cascade'),
    )
    .addColumn('position', types.integer, (column) => column.notNull())
    .addColumn('digest', types.text, (column) => column.notNull())
    .addColumn('tags_json', types.text, (column) => column.notNull())
    .addColumn('pushed_at', types.integer, (column) => column.notNull())
    .addColumn('action', types.text, (column) => column.notNull())
    .addColumn('rule_priority', types.integer, (column) => column.notNull())
    .addColumn('storage_class', types.text, (column) => column.notNull())
    .addPrimaryKeyConstraint('lifecycle_preview_images_in_order', ['repository_id', 'position'])
    .modifyEnd(keptByPrimaryKey);
}

function accountSettings({ build, types }: SqlDialect) {
  return build.schema
    .createTable('account_settings')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('value', types.text, (column) => column.notNull())
    .addPrimaryKeyConstraint('account_settings_by_name', ['account', 'region', 'name']);
}

function pullTimeExclusions({ build, types }: SqlDialect) {
  return build.schema
    .createTable('pull_time_exclusions')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('principal_arn', types.text, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('pull_time_exclusions_by_principal', ['account', 'region', 'principal_arn']);
}

function eventTargets({ build, types }: SqlDialect) {
  return build.schema
    .createTable('event_targets')
    .addColumn('name', types.text, (column) => column.notNull().primaryKey())
    .addColumn('kind', types.text, (column) => column.notNull())
    .addColumn('settings_json', types.text, (column) => column.notNull())
    .addColumn('sealed_secret', types.bytes)
    .addColumn('created_at', types.integer, (column) => column.notNull());
}

function events({ build, types }: SqlDialect) {
  return build.schema
    .createTable('events')
    .addColumn('id', types.id)
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('event_json', types.text, (column) => column.notNull())
    .addColumn('at', types.integer, (column) => column.notNull());
}

function jobs({ build, types }: SqlDialect) {
  return build.schema
    .createTable('jobs')
    .addColumn('id', types.id)
    .addColumn('kind', types.text, (column) => column.notNull())
    .addColumn('key', types.text)
    .addColumn('payload_json', types.text, (column) => column.notNull())
    .addColumn('event_id', types.integer)
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('due_at', types.integer, (column) => column.notNull())
    .addColumn('attempts', types.integer, (column) => column.notNull())
    .addColumn('lease_id', types.text)
    .addColumn('last_error', types.text)
    .addColumn('dead_at', types.integer);
}

function schedules({ build, types }: SqlDialect) {
  return build.schema
    .createTable('schedules')
    .addColumn('name', types.text, (column) => column.notNull().primaryKey())
    .addColumn('fired_at', types.integer, (column) => column.notNull());
}

/** A job that was given up holds no place in the queue; one that is being done no longer stands for the next of its key. */
function indexes({ build: { schema } }: SqlDialect): CreateIndexBuilder[] {
  return [
    schema.createIndex('tag_changes_by_tag').on('tag_changes').columns(['repository_id', 'tag', 'id']),
    schema.createIndex('tag_changes_by_time').on('tag_changes').columns(['changed_at']),
    schema.createIndex('deleted_images_by_end').on('deleted_images').columns(['kept_until']),
    schema
      .createIndex('deleted_images_by_subject')
      .on('deleted_images')
      .columns(['repository_id', 'subject_digest'])
      .where(sql<boolean>`subject_digest is not null`),
    schema
      .createIndex('lifecycle_preview_images_by_digest')
      .on('lifecycle_preview_images')
      .columns(['repository_id', 'digest']),
    schema.createIndex('events_by_time').on('events').columns(['at']),
    schema.createIndex('jobs_due').on('jobs').columns(['kind', 'due_at', 'id']).where(sql<boolean>`dead_at is null`),
    schema.createIndex('jobs_dead').on('jobs').columns(['kind', 'id']).where(sql<boolean>`dead_at is not null`),
    schema.createIndex('jobs_dead_by_time').on('jobs').columns(['dead_at']).where(sql<boolean>`dead_at is not null`),
    schema.createIndex('jobs_of_event').on('jobs').columns(['event_id']).where(sql<boolean>`event_id is not null`),
    schema.createIndex('jobs_held').on('jobs').columns(['kind', 'key']).where(sql<boolean>`lease_id is not null`),
    schema
      .createIndex('jobs_waiting_by_key')
      .unique()
      .on('jobs')
      .columns(['kind', 'key'])
      .where(sql<boolean>`key is not null and lease_id is null and dead_at is null`),
    schema.createIndex('blobs_archived').on('blobs').columns(['id']).where(sql<boolean>`archived = 1`),
  ] as unknown as CreateIndexBuilder[];
}
