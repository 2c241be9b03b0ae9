import { type CreateIndexBuilder, type CreateTableBuilder, sql } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import { run, type Session } from '../session.ts';

/**
 * registry ─< repositories ─┬─< images ─┬─< tags
 *                           │           ├── manifests
 *                           │           ├─< image_layers    (by digest, of a layer of the repository)
 *                           │           └─< image_children  (by digest, of an image of the repository)
 *                           ├─< layers >── blobs
 *                           └─< uploads
 *
 * What a row hangs on takes it along when deleted, except that blobs outlive layers.
 */
export async function firstTables(session: Session): Promise<void> {
  for (const table of tables(session.dialect)) await run(session, table);
  for (const index of indexes(session.dialect)) await run(session, index);
}

type Table = CreateTableBuilder<string, string>;

function tables(dialect: SqlDialect): Table[] {
  return [
    repositories(dialect),
    blobs(dialect),
    layers(dialect),
    uploads(dialect),
    images(dialect),
    manifests(dialect),
    imageLayers(dialect),
    imageChildren(dialect),
    tags(dialect),
    signingKeys(dialect),
  ] as unknown as Table[];
}

function repositories({ build, types }: SqlDialect) {
  return build.schema
    .createTable('repositories')
    .addColumn('id', types.id)
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('image_tag_mutability', types.text, (column) => column.notNull())
    .addColumn('exclusion_filters_json', types.text, (column) => column.notNull())
    .addColumn('scan_on_push', types.integer, (column) => column.notNull())
    .addColumn('encryption_type', types.text, (column) => column.notNull())
    .addColumn('kms_key', types.text)
    .addColumn('resource_tags_json', types.text, (column) => column.notNull())
    .addUniqueConstraint('repositories_by_name', ['account', 'region', 'name']);
}

function blobs({ build, types }: SqlDialect) {
  return build.schema
    .createTable('blobs')
    .addColumn('id', types.id)
    .addColumn('scope', types.text, (column) => column.notNull())
    .addColumn('digest', types.text, (column) => column.notNull())
    .addColumn('location', types.text, (column) => column.notNull())
    .addColumn('bytes', types.integer, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('referenced', types.integer, (column) => column.notNull())
    .addUniqueConstraint('blobs_by_digest', ['scope', 'digest'])
    .addUniqueConstraint('blobs_by_location', ['location']);
}

function layers({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('layers')
    .addColumn('repository_id', types.integer, (column) =>
      column.notNull().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('digest', types.text, (column) => column.notNull())
    .addColumn('blob_id', types.integer, (column) => column.notNull().references('blobs.id'))
    .addColumn('lease_until', types.integer, (column) => column.notNull())
    .addColumn('referenced', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('layers_by_digest', ['repository_id', 'digest'])
    .modifyEnd(keptByPrimaryKey);
}

function uploads({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('uploads')
    .addColumn('id', types.text, (column) => column.notNull().primaryKey())
    .addColumn('repository_id', types.integer, (column) =>
      column.notNull().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('parts', types.integer, (column) => column.notNull())
    .addColumn('bytes', types.integer, (column) => column.notNull())
    .addColumn('last_part_bytes', types.integer, (column) => column.notNull())
    .addColumn('smallest_earlier_part_bytes', types.integer)
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('touched_at', types.integer, (column) => column.notNull())
    .modifyEnd(keptByPrimaryKey);
}

function images({ build, types }: SqlDialect) {
  return build.schema
    .createTable('images')
    .addColumn('id', types.id)
    .addColumn('repository_id', types.integer, (column) =>
      column.notNull().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('digest', types.text, (column) => column.notNull())
    .addColumn('media_type', types.text, (column) => column.notNull())
    .addColumn('artifact_type', types.text)
    .addColumn('subject_digest', types.text)
    .addColumn('manifest_bytes', types.integer, (column) => column.notNull())
    .addColumn('image_bytes', types.integer, (column) => column.notNull())
    .addColumn('annotations_json', types.text)
    .addColumn('pushed_at', types.integer, (column) => column.notNull())
    .addUniqueConstraint('images_by_digest', ['repository_id', 'digest']);
}

function manifests({ build, types }: SqlDialect) {
  return build.schema
    .createTable('manifests')
    .addColumn('image_id', types.integer, (column) => column.primaryKey().references('images.id').onDelete('cascade'))
    .addColumn('bytes', types.bytes, (column) => column.notNull());
}

function imageLayers({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('image_layers')
    .addColumn('repository_id', types.integer, (column) => column.notNull())
    .addColumn('layer_digest', types.text, (column) => column.notNull())
    .addColumn('image_id', types.integer, (column) => column.notNull().references('images.id').onDelete('cascade'))
    .addColumn('media_type', types.text, (column) => column.notNull())
    .addPrimaryKeyConstraint('image_layers_by_digest', ['repository_id', 'layer_digest', 'image_id'])
    .modifyEnd(keptByPrimaryKey);
}

function imageChildren({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('image_children')
    .addColumn('repository_id', types.integer, (column) => column.notNull())
    .addColumn('child_digest', types.text, (column) => column.notNull())
    .addColumn('image_id', types.integer, (column) => column.notNull().references('images.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('image_children_by_digest', ['repository_id', 'child_digest', 'image_id'])
    .modifyEnd(keptByPrimaryKey);
}

function tags({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('tags')
    .addColumn('repository_id', types.integer, (column) => column.notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('image_id', types.integer, (column) => column.notNull().references('images.id').onDelete('cascade'))
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('tags_by_name', ['repository_id', 'name'])
    .modifyEnd(keptByPrimaryKey);
}

function signingKeys({ build, types }: SqlDialect) {
  return build.schema
    .createTable('signing_keys')
    .addColumn('id', types.text, (column) => column.notNull().primaryKey())
    .addColumn('purpose', types.text, (column) => column.notNull())
    .addColumn('secret', types.bytes, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull());
}

/** What garbage collection looks for has indexes of its own rows alone, so that looking costs what is found. */
function indexes({ build: { schema } }: SqlDialect): CreateIndexBuilder[] {
  const unreferenced = sql<boolean>`referenced = 0`;
  return [
    schema.createIndex('blobs_unreferenced').on('blobs').columns(['id']).where(unreferenced),
    schema.createIndex('layers_by_blob').on('layers').columns(['blob_id']),
    schema.createIndex('layers_unreferenced').on('layers').columns(['lease_until']).where(unreferenced),
    schema.createIndex('uploads_by_repository').on('uploads').columns(['repository_id']),
    schema.createIndex('uploads_by_touch').on('uploads').columns(['touched_at']),
    schema
      .createIndex('images_by_subject')
      .on('images')
      .columns(['repository_id', 'subject_digest', 'digest'])
      .where(sql<boolean>`subject_digest is not null`),
    schema.createIndex('image_layers_by_image').on('image_layers').columns(['image_id']),
    schema.createIndex('image_children_by_image').on('image_children').columns(['image_id']),
    schema.createIndex('tags_by_image').on('tags').columns(['image_id', 'name']),
  ] as unknown as CreateIndexBuilder[];
}
