import type { CreateIndexBuilder, CreateTableBuilder } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import { run, type Session } from '../session.ts';

/**
 * registry ── registry_scanning
 * blobs ── layer_inventories     (what a layer says of packages, as long as there is its blob)
 * images ─< image_scans          (one for each type of scan, with the findings of the last that completed)
 */
export async function scanningTables(session: Session): Promise<void> {
  const { dialect } = session;
  for (const table of tables(dialect)) await run(session, table);
  for (const index of indexes(dialect)) await run(session, index);
}

function tables(dialect: SqlDialect): CreateTableBuilder<string, string>[] {
  return [registryScanning(dialect), layerInventories(dialect), imageScans(dialect)] as unknown as CreateTableBuilder<
    string,
    string
  >[];
}

function registryScanning({ build, types }: SqlDialect) {
  return build.schema
    .createTable('registry_scanning')
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('scan_type', types.text, (column) => column.notNull())
    .addColumn('rules_json', types.text, (column) => column.notNull())
    .addPrimaryKeyConstraint('registry_scanning_by_registry', ['account', 'region']);
}

function layerInventories({ build, types }: SqlDialect) {
  return build.schema
    .createTable('layer_inventories')
    .addColumn('blob_id', types.integer, (column) =>
      column.notNull().primaryKey().references('blobs.id').onDelete('cascade'),
    )
    .addColumn('format', types.integer, (column) => column.notNull())
    .addColumn('inventory', types.bytes, (column) => column.notNull());
}

function imageScans({ build, types }: SqlDialect) {
  return build.schema
    .createTable('image_scans')
    .addColumn('image_id', types.integer, (column) => column.notNull().references('images.id').onDelete('cascade'))
    .addColumn('scan_type', types.text, (column) => column.notNull())
    .addColumn('account', types.text, (column) => column.notNull())
    .addColumn('region', types.text, (column) => column.notNull())
    .addColumn('status', types.text, (column) => column.notNull())
    .addColumn('description', types.text)
    .addColumn('started_at', types.integer, (column) => column.notNull())
    .addColumn('completed_at', types.integer)
    .addColumn('source_updated_at', types.integer)
    .addColumn('source', types.text)
    .addColumn('severity_counts_json', types.text)
    .addColumn('findings', types.bytes)
    .addPrimaryKeyConstraint('image_scans_by_type', ['image_id', 'scan_type']);
}

function indexes({ build: { schema } }: SqlDialect): CreateIndexBuilder[] {
  return [
    schema
      .createIndex('image_scans_by_start')
      .on('image_scans')
      .columns(['account', 'region', 'scan_type', 'started_at']),
    schema.createIndex('image_scans_by_status').on('image_scans').columns(['scan_type', 'status', 'image_id']),
  ] as unknown as CreateIndexBuilder[];
}
