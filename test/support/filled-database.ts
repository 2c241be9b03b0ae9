import { CARRIED_TABLES } from '../../src/drivers/metadata/carried-tables.ts';
import { countRows } from '../../src/drivers/metadata/carry-rows.ts';
import type { Session, SqlDatabase, SqlValue } from '../../src/drivers/metadata/session.ts';

/** Whatever stands in the column of a table, and what its kind is. */
interface Column {
  readonly name: string;
  readonly type: string;
}

/**
 * Puts rows into every table of a SQLite database, so that nothing that is carried is carried by chance. The values of the row
 * numbered n are all n in the column's kind, and so rows find what they hang on.
 */
export async function fillTables(database: SqlDatabase, rows: number): Promise<void> {
  await database.transaction('alone', async (session) => {
    for (const { table } of CARRIED_TABLES) {
      const columns = await session.rows<Column>('select name, type from pragma_table_info(?)', [table]);
      const present = await countRows(session, table);
      for (let n = 1 + present; n <= rows; n++) await insert(session, table, columns, n);
    }
  });
}

async function insert(session: Session, table: string, columns: readonly Column[], n: number): Promise<void> {
  const names = columns.map(({ name }) => name);
  const marks = names.map(() => '?');
  const values = columns.map(({ type }) => contentOf(type, n));
  await session.rows(`insert into ${table} (${names.join(', ')}) values (${marks.join(', ')})`, values);
}

function contentOf(type: string, n: number): SqlValue {
  const kind = type.toLowerCase();
  if (kind === 'integer') return n;
  // Characters that databases sort in other ways, and bytes that are no text.
  return kind === 'blob' ? Uint8Array.of(n & 255, 0, 255) : `B-ä-${n}-'"\\`;
}
