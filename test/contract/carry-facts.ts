import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CARRIED_TABLES, type CarriedTable, TABLES_WITH_IDS } from '../../src/drivers/metadata/carried-tables.ts';
import { createFactsCarrier } from '../../src/drivers/metadata/carry-facts.ts';
import { pagesOf, type Row } from '../../src/drivers/metadata/carry-rows.ts';
import { bringToPresentForm } from '../../src/drivers/metadata/migrate.ts';
import { moveRecords } from '../../src/drivers/metadata/records/moves.ts';
import type { SqlDatabase } from '../../src/drivers/metadata/session.ts';
import { openSqliteDatabase } from '../../src/drivers/metadata/sqlite.ts';
import { fillTables } from '../support/filled-database.ts';

const ROWS = 345;

/** @param openDatabase opens an empty database that was never migrated */
export function describeCarrying(name: string, openDatabase: () => Promise<SqlDatabase>): void {
  describe(`all facts carried from SQLite to ${name} and back`, () => {
    const opened = async (database: Promise<SqlDatabase>) => {
      await bringToPresentForm(await database);
      return database;
    };
    const filled = async () => {
      const source = await opened(openSqliteDatabase({ file: ':memory:' }));
      await fillTables(source, ROWS);
      return source;
    };

    it('are the same, also when they are carried again', async () => {
      await using source = await filled();
      await using target = await opened(openDatabase());
      await using back = await opened(openSqliteDatabase({ file: ':memory:' }));
      const there = createFactsCarrier(source, target);
      assert.equal(await there.firstFilled(), undefined);
      for (let time = 0; time < 2; time++) {
        const counts = await there.carry({ withoutUploads: [], bytes: 'stay' });
        assert.deepEqual(counts, await there.count());
      }
      assert.equal(await there.firstFilled(), CARRIED_TABLES[0]?.table);
      await createFactsCarrier(target, back).carry({ withoutUploads: [], bytes: 'stay' });
      for (const { table } of CARRIED_TABLES) {
        const expected = (await rowsOf(source, table)).map((row) =>
          table === 'uploads' ? { ...row, holder: null, held_until: null } : row,
        );
        assert.equal(expected.length, ROWS, table);
        assert.deepEqual(await rowsOf(target, table), expected, table);
        assert.deepEqual(await rowsOf(back, table), expected, table);
      }
    });

    it('hand out no id again that was ever handed out', async () => {
      await using source = await filled();
      await using target = await opened(openDatabase());
      await source.transaction('alone', async (session) => {
        for (const table of TABLES_WITH_IDS) await session.rows(`delete from ${table} where id > ${ROWS - 5}`, []);
      });
      await createFactsCarrier(source, target).carry({ withoutUploads: [], bytes: 'stay' });
      await target.transaction('alone', async (session) => {
        for (const table of TABLES_WITH_IDS) {
          assert.equal(await target.ids.last(session, table), ROWS, table);
        }
        const text = "insert into events (account, region, event_json, at) values ('a', 'b', '{}', 1) returning id";
        assert.deepEqual(
          (await session.rows<{ id: number }>(text, [])).map(({ id }) => id),
          [ROWS + 1],
        );
      });
    });

    it('hand out the first id of a table that never had a row', async () => {
      await using source = await opened(openSqliteDatabase({ file: ':memory:' }));
      await using target = await opened(openDatabase());
      await createFactsCarrier(source, target).carry({ withoutUploads: [], bytes: 'stay' });
      const text = "insert into events (account, region, event_json, at) values ('a', 'b', '{}', 1) returning id";
      const [event] = await target.transaction('alone', (session) => session.rows<{ id: number }>(text, []));
      assert.equal(event?.id, 1);
    });

    it('are told of by their row where a text cannot be kept, and nothing is carried then', async () => {
      await using source = await filled();
      await using target = await opened(openDatabase());
      const carrier = createFactsCarrier(source, target);
      assert.equal(await carrier.firstUnkeepable(), undefined);
      const update = (text: string) => source.transaction('alone', (session) => session.rows(text, []));
      // What JSON says of the character are other characters.
      await update('update repositories set resource_tags_json = \'[{"key":"a\\u0000","value":"b"}]\' where id = 7');
      assert.equal(await carrier.firstUnkeepable(), undefined);
      await update("update tags set name = 'a' || char(0) || 'b' where repository_id = 9");
      const plan = { withoutUploads: [], bytes: 'stay' } as const;
      if (target.reader.dialect.keepsNul) {
        assert.equal(await carrier.firstUnkeepable(), undefined);
        await carrier.carry(plan);
        assert.deepEqual(await rowsOf(target, 'tags'), await rowsOf(source, 'tags'));
        return;
      }
      const row = /U\+0000, and name in the row of table tags with repository_id 9, name "a\\u0000b" does/;
      assert.match(String(await carrier.firstUnkeepable()), row);
      await assert.rejects(carrier.carry(plan), row);
      assert.equal(await carrier.firstFilled(), undefined);
      await update("update tags set name = 'ab' where repository_id = 9");
      assert.equal(await carrier.firstUnkeepable(), undefined);
      await carrier.carry(plan);
      assert.deepEqual(await rowsOf(target, 'repositories'), await rowsOf(source, 'repositories'));
    });

    it('point at copies of their bytes, and leave uploads behind whose bytes are not carried', async () => {
      await using source = await filled();
      await using target = await opened(openDatabase());
      const carrier = createFactsCarrier(source, target);
      const plan = {
        withoutUploads: (await rowsOf(source, 'uploads')).map(({ id }) => String(id)),
        bytes: 'moved',
      } as const;
      await assert.rejects(carrier.carry(plan), /345 blobs have no copy/);
      assert.equal(await carrier.firstFilled(), undefined);
      await target.transaction('own-rows', async (session) => {
        for (const { location, digest, bytes } of await rowsOf(source, 'blobs')) {
          const from = String(location);
          await moveRecords(session).noteCopy({
            from,
            to: `to ${from}`,
            digest: digest as never,
            bytes: Number(bytes),
          });
        }
      });
      await carrier.carry(plan);
      assert.deepEqual(await rowsOf(target, 'uploads'), []);
      for (const { location, archived } of await rowsOf(target, 'blobs')) {
        assert.match(String(location), /^to /);
        assert.equal(archived, 0);
      }
    });
  });
}

async function rowsOf(database: SqlDatabase, table: CarriedTable): Promise<Row[]> {
  const carried = CARRIED_TABLES.find((one) => one.table === table)!;
  const rows: Row[] = [];
  for await (const page of pagesOf(database.reader, carried)) rows.push(...page.map((row) => plain(row)));
  return rows;
}

/** Without what tells drivers apart: prototypes, and kinds of byte arrays. */
function plain(row: Row): Row {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Uint8Array.from(value) : value,
  ]);
  return Object.fromEntries(entries) as Row;
}
