import { type Expression, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely';
import type { SqlDialect } from './dialect.ts';
import { queryBuilder } from './query-builder.ts';

export const sqliteDialect: SqlDialect = {
  build: queryBuilder({
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }),
  types: {
    // Without autoincrement SQLite hands the id of the newest row out again once that row is deleted.
    id: sql`integer primary key autoincrement`,
    integer: sql`integer`,
    text: sql`text`,
    bytes: sql`blob`,
  },
  keepsNul: true,
  keptByPrimaryKey: sql`without rowid`,
  taking: sql``,
  keeping: () => sql``,
  takingWhole: sql``,
  skippingLocked: sql``,
  writersOf: () => undefined,
  trigger: ({ name, after, table, statements }) => [
    `create trigger ${name} after ${after} on ${table} begin ${statements.join('; ')}; end`,
  ],
  texts: jsonEach,
  objects: jsonEach,
};

function jsonEach<Text extends string>(json: Expression<string>) {
  return sql<{ value: Text }>`json_each(${json})`;
}
