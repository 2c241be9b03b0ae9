import { type DatabaseIntrospector, type DialectAdapter, Kysely, type QueryCompiler } from 'kysely';
import type { Tables } from './tables.ts';

/** Builds and compiles queries in a database's own words; running one through it throws. */
export function queryBuilder(words: {
  createAdapter: () => DialectAdapter;
  createIntrospector: (db: Kysely<unknown>) => DatabaseIntrospector;
  createQueryCompiler: () => QueryCompiler;
}): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      ...words,
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
  });
}

async function refuseToRun(): Promise<never> {
  throw new Error('Queries run in a session, never through their builder');
}
