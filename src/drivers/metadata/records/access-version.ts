import { sql } from 'kysely';
import type { AccessReads } from '../../../core/access/identity-records.ts';
import { type PreparedQuery, prepared, type Session, type SqlValue } from '../session.ts';

export function versionReads(session: Session): Pick<AccessReads, 'version'> {
  return {
    async version() {
      const [row] = await version(session, {});
      return row!.version;
    },
  };
}

/**
 * Runs a statement that gives a row for each it changed; when there are any, raises the version that tells servers.
 * @returns whether there were any
 */
export async function changeAccess<Values extends { [Name in keyof Values]: SqlValue }>(
  session: Session,
  statement: PreparedQuery<Values, unknown>,
  values: Values,
): Promise<boolean> {
  const changed = (await statement(session, values)).length > 0;
  if (changed) await raise(session, {});
  return changed;
}

const version = prepared((db) => db.selectFrom('access_version').select('version').where('id', '=', sql.lit(1)));

const raise = prepared((db) =>
  db.updateTable('access_version').set({ version: sql<number>`version + 1` }).where('id', '=', sql.lit(1)),
);
