import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LISTS, OTHERS, statementsOf } from '../../../test/contract/metadata-store/questions.ts';
import { MIGRATIONS } from './migrate.ts';
import type { Session } from './session.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

describe('query plans', () => {
  let connection: SqliteConnection;
  before(async () => {
    connection = new SqliteConnection(':memory:');
    const session: Session = {
      dialect: sqliteDialect,
      rows: async (text, values) => connection.rows(text, values),
    };
    for (const migration of MIGRATIONS) await migration(session);
  });
  after(() => connection.close());

  for (const [name, question] of Object.entries({ ...LISTS, ...OTHERS })) {
    it(`of ${name} go by an index`, async () => {
      for (const statement of await statementsOf(question, sqliteDialect)) {
        assert.deepEqual(wholeReads(planOf(connection, statement)), [], statement);
      }
    });
  }

  for (const [name, question] of Object.entries(LISTS)) {
    it(`of ${name} read no manifest and put no more in order than one index lists`, async () => {
      for (const statement of await statementsOf(question, sqliteDialect)) {
        const plan = planOf(connection, statement);
        assert.doesNotMatch(statement, /manifests/);
        // The indexes that list an image are few.
        if (name !== 'images.indexesOf') assert.ok(!plan.includes('USE TEMP B-TREE FOR ORDER BY'), plan.join('\n'));
      }
    });
  }
});

function planOf(connection: SqliteConnection, statement: string): string[] {
  const values = statement
    .split('?')
    .slice(1)
    .fill('')
    .map(() => 1);
  return connection.rows<{ detail: string }>(`explain query plan ${statement}`, values).map(({ detail }) => detail);
}

/** Steps that look at each row of a table, or of an index of more than what is looked for. */
function wholeReads(plan: readonly string[]): string[] {
  // A list that was handed over, the page a subquery gives, and the indexes of unreferenced blobs and of held jobs alone.
  const isSmall = (step: string) =>
    step.includes('VIRTUAL TABLE') ||
    (step === 'SCAN images' && plan.includes('CO-ROUTINE images')) ||
    step === 'SCAN blobs USING INDEX blobs_unreferenced' ||
    step === 'SCAN jobs USING INDEX jobs_held';
  return plan.filter((step) => step.startsWith('SCAN') && !isSmall(step));
}
