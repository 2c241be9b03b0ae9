import assert from 'node:assert/strict';
import { it } from 'node:test';
import { prepared, type Session } from './session.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

const session: Session = { dialect: sqliteDialect, rows: async (text) => [text] as never[] };

it('takes no query that reads whichever columns there are', async () => {
  for (const query of [
    prepared((db) => db.selectFrom('gates').selectAll()),
    prepared((db) => db.selectFrom('gates').selectAll('gates').select('author')),
    prepared((db) => db.selectFrom('gates').select('author').selectAll('gates')),
    prepared((db) => db.deleteFrom('gates').returningAll()),
  ]) {
    assert.throws(() => query(session, {}), /names the columns that it reads/);
  }
  const counts = prepared((db) => db.selectFrom('gates').select(({ fn }) => ['author', fn.countAll().as('all')]));
  assert.deepEqual(await counts(session, {}), ['select "author", count(*) as "all" from "gates"']);
});
