import { type Expression, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely';
import type { SqlDialect } from './dialect.ts';
import type { Tables } from './tables.ts';

export const sqliteDialect: SqlDialect = {
  build: new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createDriver: () => ({
        init: refuseToRun,
        acquireConnection: refuseToRun,
        beginTransaction: refuseToRun,
        commitTransaction: refuseToRun,
        rollbackTransaction: refuseToRun,
        releaseConnection: refuseToRun,
        destroy: refuseToRun,
      }),
    },
  }),
  types: {
    // Without autoincrement SQLite hands the id of the newest row out again once that row is deleted.
    id: sql`integer primary key autoincrement`,
    integer: sql`integer`,
    text: sql`text`,
    bytes: sql`blob`,
  },
  keptByPrimaryKey: sql`without rowid`,
  taking: sql``,
  takingWhole: sql``,
  skippingLocked: sql``,
  texts: jsonEach,
  objects: jsonEach,
};

function jsonEach<Text extends string>(json: Expression<string>) {
  return sql<{ value: Text }>`json_each(${json})`;
}

async function refuseToRun(): Promise<never> {
  throw new Error('Queries run in a session, never through their builder');
}
