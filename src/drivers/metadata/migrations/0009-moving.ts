import type { SqlDialect } from '../dialect.ts';
import { run, type Session } from '../session.ts';

/** The move that a store takes part in, and the ledger of what it has copied. */
export async function movingTables(session: Session): Promise<void> {
  const { build } = session.dialect;
  await run(session, moves(session.dialect));
  await run(session, movedBlobs(session.dialect));
  const unread = build.schema
    .createIndex('moved_blobs_unread')
    .on('moved_blobs')
    .columns(['was_read', 'source_location']);
  await run(session, unread);
}

function moves({ build, types }: SqlDialect) {
  return build.schema
    .createTable('moves')
    .addColumn('number', types.integer, (column) => column.primaryKey())
    .addColumn('id', types.text, (column) => column.notNull())
    .addColumn('stage', types.text, (column) => column.notNull())
    .addColumn('places_json', types.text, (column) => column.notNull())
    .addColumn('at', types.integer, (column) => column.notNull())
    .addColumn('holder', types.text)
    .addColumn('held_until', types.integer);
}

function movedBlobs({ build, types, keptByPrimaryKey }: SqlDialect) {
  return build.schema
    .createTable('moved_blobs')
    .addColumn('source_location', types.text, (column) => column.notNull().primaryKey())
    .addColumn('target_location', types.text, (column) => column.notNull())
    .addColumn('digest', types.text, (column) => column.notNull())
    .addColumn('bytes', types.integer, (column) => column.notNull())
    .addColumn('protection_json', types.text)
    .addColumn('was_read', types.integer, (column) => column.notNull().defaultTo(0))
    .addUniqueConstraint('moved_blobs_by_target', ['target_location'])
    .modifyEnd(keptByPrimaryKey);
}
