import { type RawBuilder, sql } from 'kysely';
import type { Carried, CarriedTable } from './carried-tables.ts';
import type { SqlDialect } from './dialect.ts';
import type { Session, SqlValue } from './session.ts';

export type Row = Readonly<Record<string, SqlValue>>;

/** Rows are gathered to about as much; the largest hold a manifest of 4 MiB. */
const PAGE_BYTES = 4 * 1024 * 1024;
const PAGE_ROWS_MIN = 4;
const PAGE_ROWS_MAX = 1024;

/** Reads a table in pages, in the order of its key. */
export async function* pagesOf(session: Session, { table, key }: Carried): AsyncGenerator<readonly Row[]> {
  let limit = PAGE_ROWS_MIN;
  let after: readonly SqlValue[] | undefined;
  for (;;) {
    const rows = await runRaw(session, pageQuery({ table, key }, after, limit));
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = key.map((column) => last[column]!);
    const bytes = rows.reduce((sum, row) => sum + bytesOf(row), 0);
    const fitting = Math.floor((rows.length * PAGE_BYTES) / bytes);
    // Not at once: the next rows may be larger than these.
    limit = Math.max(PAGE_ROWS_MIN, Math.min(PAGE_ROWS_MAX, fitting, limit * 4));
  }
}

/** So that a table has few texts of statements, which connections keep; each of them for as many rows as a database takes. */
const INSERT_ROWS = [256, 64, 16, 4, 1];

/** Inserts rows that all have the same columns. */
export async function insertRows(session: Session, table: CarriedTable, rows: readonly Row[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first);
  for (let at = 0; at < rows.length; ) {
    const count = INSERT_ROWS.find((size) => size <= rows.length - at)!;
    const values = rows.slice(at, at + count).flatMap((row) => columns.map((column) => row[column]!));
    await session.rows(insertText(session.dialect, table, columns, count), values);
    at += count;
  }
}

/** Which of the rows a database cannot keep, and why, in a sentence. Of texts with U+0000 an earlier Gantry took some. */
export function unkeepableAmong(
  rows: readonly Row[],
  { table, key }: Carried,
  dialect: SqlDialect,
): string | undefined {
  if (dialect.keepsNul) return undefined;
  for (const row of rows) {
    const found = Object.entries(row).find(([, value]) => typeof value === 'string' && value.includes('\0'));
    if (found === undefined) continue;
    const named = key.map((name) => `${name} ${JSON.stringify(row[name])}`).join(', ');
    return `its texts cannot hold the character U+0000, and ${found[0]} in the row of table ${table} with ${named} does`;
  }
  return undefined;
}

export async function countRows(session: Session, table: CarriedTable): Promise<number> {
  const [row] = await runRaw(session, sql`select count(*) as ${sql.ref('rows')} from ${sql.table(table)}`);
  return Number(row?.rows ?? 0);
}

function pageQuery({ table, key }: Carried, after: readonly SqlValue[] | undefined, limit: number) {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  const behind = after === undefined ? sql`` : sql`where (${columns}) > (${sql.join(after)})`;
  return sql`select * from ${sql.table(table)} ${behind} order by ${columns} limit ${limit}`;
}

const insertTexts = new WeakMap<SqlDialect, Map<string, string>>();

function insertText(dialect: SqlDialect, table: CarriedTable, columns: readonly string[], rows: number): string {
  const texts = insertTexts.get(dialect) ?? new Map<string, string>();
  insertTexts.set(dialect, texts);
  const name = [table, rows, ...columns].join(' ');
  let text = texts.get(name);
  if (text === undefined) {
    const row = sql`(${sql.join(columns.map(() => sql`${null}`))})`;
    const names = sql.join(columns.map((column) => sql.ref(column)));
    const values = sql.join(Array.from({ length: rows }, () => row));
    text = sql`insert into ${sql.table(table)} (${names}) values ${values}`.compile(dialect.build).sql;
    texts.set(name, text);
  }
  return text;
}

function runRaw(session: Session, query: RawBuilder<unknown>): Promise<Row[]> {
  const { sql: text, parameters } = query.compile(session.dialect.build);
  return session.rows<Row>(text, parameters as readonly SqlValue[]);
}

const OTHER_VALUE_BYTES = 8;

function bytesOf(row: Row): number {
  return Object.values(row).reduce<number>((sum, value) => {
    if (typeof value === 'string') return sum + value.length;
    return sum + (value instanceof Uint8Array ? value.byteLength : OTHER_VALUE_BYTES);
  }, 0);
}
