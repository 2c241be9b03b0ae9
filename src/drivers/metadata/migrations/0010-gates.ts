import type { CreateTableBuilder } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import { run, type Session } from '../session.ts';

/**
 * repositories ── gates
 * repositories ─< gate_exceptions     (for a finding, an image, or both; what is not named is empty)
 * images ─< severity_sightings        (since when a type of scan finds something of a severity)
 */
export async function gateTables(session: Session): Promise<void> {
  for (const table of tables(session.dialect)) await run(session, table);
}

function tables(dialect: SqlDialect): CreateTableBuilder<string, string>[] {
  return [gates(dialect), gateExceptions(dialect), severitySightings(dialect)] as unknown as CreateTableBuilder<
    string,
    string
  >[];
}

function gates({ build, types }: SqlDialect) {
  return build.schema
    .createTable('gates')
    .addColumn('repository_id', types.integer, (column) =>
      column.notNull().primaryKey().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('severity', types.text)
    .addColumn('requires_scan', types.integer, (column) => column.notNull())
    .addColumn('signed_by', types.text)
    .addColumn('grace_seconds', types.integer, (column) => column.notNull())
    .addColumn('is_dry_run', types.integer, (column) => column.notNull())
    .addColumn('author', types.text, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull());
}

function gateExceptions({ build, types }: SqlDialect) {
  return build.schema
    .createTable('gate_exceptions')
    .addColumn('repository_id', types.integer, (column) =>
      column.notNull().references('repositories.id').onDelete('cascade'),
    )
    .addColumn('cve', types.text, (column) => column.notNull())
    .addColumn('digest', types.text, (column) => column.notNull())
    .addColumn('until', types.integer, (column) => column.notNull())
    .addColumn('reason', types.text, (column) => column.notNull())
    .addColumn('author', types.text, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('gate_exceptions_by_what', ['repository_id', 'cve', 'digest']);
}

function severitySightings({ build, types }: SqlDialect) {
  return build.schema
    .createTable('severity_sightings')
    .addColumn('image_id', types.integer, (column) => column.notNull().references('images.id').onDelete('cascade'))
    .addColumn('scan_type', types.text, (column) => column.notNull())
    .addColumn('severity', types.text, (column) => column.notNull())
    .addColumn('seen_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('severity_sightings_by_severity', ['image_id', 'scan_type', 'severity']);
}
