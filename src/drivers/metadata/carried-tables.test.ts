import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CARRIED_TABLES, FILLED_WHEN_NEW, TABLES_WITH_IDS } from './carried-tables.ts';
import { countRows } from './carry-rows.ts';
import { bringToPresentForm } from './migrate.ts';
import type { SqlDatabase } from './session.ts';
import { openSqliteDatabase } from './sqlite.ts';

const OF_THE_STORE = ['migrations', 'moved_blobs', 'moves'];

/** What a database itself says of its tables, as the migrations made them. */
describe('the tables that are carried', () => {
  let database: SqlDatabase;
  const rows = <Row>(statement: string, values: string[] = []) => database.reader.rows<Row>(statement, values);
  before(async () => {
    database = await openSqliteDatabase({ file: ':memory:' });
    await bringToPresentForm(database);
  });
  after(() => database[Symbol.asyncDispose]());

  it('are all there are but those of the store itself', async () => {
    const found = await rows<{ name: string }>(
      "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name",
    );
    const carried = CARRIED_TABLES.map(({ table }) => table);
    assert.deepEqual(
      found.map(({ name }) => name),
      [...carried, ...OF_THE_STORE].sort(),
    );
  });

  it('are read by their primary keys, and stand behind those that their rows hang on', async () => {
    const places = new Map(CARRIED_TABLES.map(({ table }, place) => [table as string, place]));
    for (const [place, { table, key }] of CARRIED_TABLES.entries()) {
      const columns = await rows<{ name: string; pk: number }>('select name, pk from pragma_table_info(?)', [table]);
      const primary = columns.filter(({ pk }) => pk > 0).sort((one, other) => one.pk - other.pk);
      assert.deepEqual(
        key,
        primary.map(({ name }) => name),
        table,
      );
      for (const { parent } of await rows<{ parent: string }>(
        'select "table" as parent from pragma_foreign_key_list(?)',
        [table],
      )) {
        assert.ok(places.get(parent)! < place, `${table} stands before ${parent}`);
      }
    }
  });

  it('have ids that go on where the database hands them out, and one of them has a row when the store is new', async () => {
    const found = await rows<{ name: string }>("select name from sqlite_master where sql like '%autoincrement%'");
    assert.deepEqual(found.map(({ name }) => name).sort(), [...TABLES_WITH_IDS].sort());
    for (const { table } of CARRIED_TABLES) {
      assert.equal(await countRows(database.reader, table), table === FILLED_WHEN_NEW ? 1 : 0, table);
    }
  });
});
