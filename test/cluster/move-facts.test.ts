import { after, before, describe } from 'node:test';
import { openPostgresDatabase } from '../../src/drivers/metadata/postgres.ts';
import { describeCarrying } from '../contract/carry-facts.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';

let server: PostgresServer;

describe('facts on their way to a PostgreSQL server', { skip: withoutPostgres }, () => {
  before(async () => {
    server = await startPostgres();
  });
  after(() => server[Symbol.asyncDispose]());
  describeCarrying('PostgreSQL', async () => openPostgresDatabase({ url: await server.newDatabase() }));
});
