import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MetadataStore } from '../../src/core/metadata-store.ts';
import { CARRIED_TABLES } from '../../src/drivers/metadata/carried-tables.ts';
import { bringToPresentForm } from '../../src/drivers/metadata/migrate.ts';
import { openPostgresDatabase, openPostgresMetadataStore } from '../../src/drivers/metadata/postgres.ts';
import { describeMigrations } from '../contract/migrations.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';

let server: PostgresServer;

describe('migrations of databases that hold something', { skip: withoutPostgres }, () => {
  before(async () => {
    server = await startPostgres();
  });
  after(() => server[Symbol.asyncDispose]());
  describeMigrations('PostgreSQL', async () => openPostgresDatabase({ url: await server.newDatabase() }));

  it('run a step again that the database undid for the sake of a work of another node', async () => {
    const url = await server.newDatabase();
    await using database = await openPostgresDatabase({ url });
    await database.migration(async (session) => {
      for (const table of ['one', 'two']) await session.rows(`create table ${table} (id bigint)`, []);
    });
    await using other = await openPostgresDatabase({ url });
    await bringToPresentForm(other);
    const [hasOne, wantsOne] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let runs = 0;
    const step = database.migration(async (session) => {
      runs++;
      await session.rows('lock table two in access exclusive mode', []);
      await hasOne.promise;
      wantsOne.resolve();
      await session.rows('alter table one add column step bigint', []);
    });
    // Each waits for what the other has. Only the step looks for that, after a second, and is undone then.
    const work = other.transaction('own-rows', async (session) => {
      await session.rows("set local deadlock_timeout = '60s'", []);
      await session.rows('insert into one (id) values (1)', []);
      hasOne.resolve();
      await wantsOne.promise;
      await session.rows('insert into two (id) values (1)', []);
    });
    await Promise.all([step, work]);
    assert.equal(runs, 2);
    const columns = "select column_name from information_schema.columns where table_name = 'one' order by 1";
    assert.deepEqual(
      (await database.reader.rows<{ column_name: string }>(columns, [])).map((row) => row.column_name),
      ['id', 'step'],
    );
  });

  it('are in no way of a node that has kept its statements since before', async () => {
    const url = await server.newDatabase();
    await using before = await openPostgresMetadataStore({ url });
    await before.migrate();
    const registry = { accountId: '000000000000', region: 'us-east-1' };
    const ask = async ({ read }: Pick<MetadataStore, 'read'>) => {
      await Promise.all([
        read.gates.all(),
        read.gates.find(1),
        read.gates.exceptions(1),
        read.kmsKeys.find('a'),
        read.kmsKeys.list(registry),
        read.secrets.list(registry),
        read.cacheRules.all(),
        read.cacheChecks.find(1, 'a'),
      ]);
    };
    // Each connection keeps the statements that came to it.
    for (let time = 0; time < 20; time++) await ask(before);
    await using after = await openPostgresDatabase({ url });
    await after.migration(async (session) => {
      for (const table of CARRIED) await session.rows(`alter table ${table} add column later bigint`, []);
    });
    for (let time = 0; time < 20; time++) await ask(before);
  });
});

const CARRIED = CARRIED_TABLES.map(({ table }) => table);
