import { CARRIED_TABLES, TABLES_WITH_IDS } from '../../src/drivers/metadata/carried-tables.ts';
import { countRows } from '../../src/drivers/metadata/carry-rows.ts';
import type { Session, SqlDatabase, SqlValue } from '../../src/drivers/metadata/session.ts';

/** Whatever stands in the column of a table, and what its kind is. */
interface Column {
  readonly name: string;
  readonly type: string;
}

/**
 * Puts rows into every table that a database has, so that nothing that is carried or kept is so by chance. The values of the row
 * numbered n are all n in the column's kind, and so rows find what they hang on.
 */
export async function fillTables(database: SqlDatabase, rows: number): Promise<void> {
  const columnsOf = database.isShared ? POSTGRES_COLUMNS : SQLITE_COLUMNS;
  await database.transaction('alone', async (session) => {
    for (const { table } of CARRIED_TABLES) {
      const columns = await session.rows<Column>(columnsOf, [table]);
      // A database of an earlier form lacks some.
      if (columns.length === 0) continue;
      const present = await countRows(session, table);
      for (let n = 1 + present; n <= rows; n++) await insert(session, table, columns, n);
    }
    for (const table of TABLES_WITH_IDS) {
      if ((await session.rows(columnsOf, [table])).length > 0) await database.ids.goOnAfter(session, table, rows);
    }
  });
}

const SQLITE_COLUMNS = 'select name, type from pragma_table_info(?)';
const POSTGRES_COLUMNS = `
  select column_name as name, data_type as type from information_schema.columns
  where table_schema = current_schema() and table_name = $1 order by ordinal_position
`;

async function insert(session: Session, table: string, columns: readonly Column[], n: number): Promise<void> {
  const names = columns.map(({ name }) => name);
  const marks = names.map((_, index) => (session.dialect.keepsNul ? '?' : `$${index + 1}`));
  const values = columns.map(({ type }) => contentOf(type, n));
  await session.rows(`insert into ${table} (${names.join(', ')}) values (${marks.join(', ')})`, values);
}

function contentOf(type: string, n: number): SqlValue {
  const kind = type.toLowerCase();
  if (kind === 'integer' || kind === 'bigint') return n;
  // Characters that databases sort in other ways, and bytes that are no text.
  return kind === 'blob' || kind === 'bytea' ? Uint8Array.of(n & 255, 0, 255) : `B-ä-${n}-'"\\`;
}
