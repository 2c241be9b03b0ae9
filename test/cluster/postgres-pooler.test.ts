import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openPostgresMetadataStore } from '../../src/drivers/metadata/postgres.ts';
import { SETTINGS } from '../../src/drivers/metadata/postgres-settings.ts';
import { addRepository, type MetadataStoreDriver } from '../contract/metadata-store/driver.ts';
import { describeImages } from '../contract/metadata-store/images.ts';
import { describeJobs, describeSharedJobs } from '../contract/metadata-store/jobs.ts';
import { describeLasting } from '../contract/metadata-store/lasting.ts';
import { describeLayers } from '../contract/metadata-store/layers.ts';
import { describeTransactions } from '../contract/metadata-store/transactions.ts';
import { describeUploads } from '../contract/metadata-store/uploads.ts';
import { describeWorkScopes } from '../contract/metadata-store/work-scopes.ts';
import { startPgbouncer, withoutPgbouncer } from '../support/pgbouncer.ts';
import { execute, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';

let server: PostgresServer;
let pooler: Awaited<ReturnType<typeof startPgbouncer>>;

const pooled: MetadataStoreDriver = {
  name: 'postgres through a pooler',
  async open() {
    const url = `${pooler.through(await server.newDatabase())}?preparedStatements=false`;
    const store = await openPostgresMetadataStore({ url });
    return {
      store,
      another: () => openPostgresMetadataStore({ url }),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  },
};

describe('metadata store behind PgBouncer that pools by the transaction', {
  skip: withoutPostgres || withoutPgbouncer,
}, () => {
  before(async () => {
    server = await startPostgres();
    pooler = await startPgbouncer(await server.newDatabase());
  });
  after(async () => {
    await pooler[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('is refused with what to run when the role lacks the settings, and opened once it has them', async () => {
    const direct = await server.newDatabase();
    const url = `${pooler.through(direct)}?preparedStatements=false`;
    const refused = await openPostgresMetadataStore({ url }).then(
      () => assert.fail('It was opened'),
      (error: Error) => error.message,
    );
    const statements = refused.split('\n').slice(1);
    assert.equal(statements.length, Object.keys(SETTINGS).length);
    await execute(direct, statements.join('\n'));
    // Connections that the pooler has already keep what they had.
    await execute(direct, 'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()');
    await using store = await openPostgresMetadataStore({ url });
    await store.migrate();
    await store.ready();
  });

  it('says what to add to the address where prepared statements get lost', async () => {
    const url = pooler.through(await server.newDatabase());
    const use = async () => {
      await using one = await openPostgresMetadataStore({ url });
      await using other = await openPostgresMetadataStore({ url });
      await one.migrate();
      for (let round = 0; round < 20; round++) {
        await Promise.all([one, other].map((store) => Promise.all([addRepository(store), addRepository(store)])));
      }
    };
    await assert.rejects(use(), /preparedStatements=false/);
  });

  for (const describeContract of [
    describeTransactions,
    describeWorkScopes,
    describeUploads,
    describeLayers,
    describeImages,
    describeJobs,
    describeSharedJobs,
    describeLasting,
  ]) {
    describeContract(pooled);
  }
});
