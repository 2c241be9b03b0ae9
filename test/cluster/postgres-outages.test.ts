import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MetadataStore } from '../../src/core/metadata-store.ts';
import { openPostgresMetadataStore } from '../../src/drivers/metadata/postgres.ts';
import { addRepository, newRepository, REGISTRY } from '../contract/metadata-store/driver.ts';
import { execute, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';

const STORM_SECONDS = 3;

describe('a PostgreSQL server that goes away and comes back', { skip: withoutPostgres }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server[Symbol.asyncDispose]());

  for (const how of ['kill', 'stop'] as const) {
    it(`has all that was acknowledged before and after a ${how} in the middle of transactions`, async () => {
      const url = await server.newDatabase();
      await using store = await openPostgresMetadataStore({ url });
      await store.migrate();
      const { acknowledged, refused } = await storm(store, async () => {
        for (let outage = 0; outage < 2; outage++) {
          await sleep((STORM_SECONDS * 1000) / 3);
          await server[how]();
          await server.start();
        }
      });
      const kept = new Set(await allNames(store));
      const lost = acknowledged.filter((name) => !kept.has(name));
      assert.deepEqual(lost, []);
      assert.ok(acknowledged.length > 0);
      for (const error of refused) assert.match(String(error), /^StoreUnavailableError/);
      await store.ready();
    });
  }

  it('is waited for a while by reads, and found by connections that were idle', async () => {
    const url = await server.newDatabase();
    await using store = await openPostgresMetadataStore({ url });
    await store.migrate();
    await Promise.all(Array.from({ length: 20 }, () => store.ready()));
    await server.stop();
    const reading = store.read.repositories.page(REGISTRY, '', 1);
    await server.start();
    assert.deepEqual(await reading, []);
    await addRepository(store);
  });

  it('is said to be gone within a bounded time', async () => {
    const url = await server.newDatabase();
    await using store = await openPostgresMetadataStore({ url });
    await store.migrate();
    await server.stop();
    await assert.rejects(store.ready(), { name: 'StoreUnavailableError' });
    await assert.rejects(addRepository(store), { name: 'StoreUnavailableError' });
    await server.start();
    await store.ready();
  });
});

describe('opening a store on a PostgreSQL server', { skip: withoutPostgres }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server[Symbol.asyncDispose]());

  it('is migrated once by three nodes that start together', async () => {
    const url = await server.newDatabase();
    const stores = await Promise.all([1, 2, 3].map(() => openPostgresMetadataStore({ url })));
    await Promise.all(stores.map((store) => store.migrate()));
    for (const store of stores) {
      await store.ready();
      await addRepository(store);
      await store[Symbol.asyncDispose]();
    }
  });

  it('refuses one that a newer Gantry wrote', async () => {
    const url = await server.newDatabase();
    await using store = await openPostgresMetadataStore({ url });
    await store.migrate();
    await execute(url, 'insert into migrations (version, applied_at) values (1000, 0)');
    await assert.rejects(store.migrate(), { name: 'NewerStoreError' });
  });

  it('refuses a server that does not keep what it commits, and an encoding that cannot hold all texts', async () => {
    const url = await server.newDatabase();
    await execute(url, `alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = off`);
    await assert.rejects(openPostgresMetadataStore({ url }), /synchronous_commit is off/);
    await execute(url, "create database latin encoding 'LATIN1' locale 'C' template template0");
    const latin = new URL(url);
    latin.pathname = '/latin';
    await assert.rejects(openPostgresMetadataStore({ url: latin.href }), /LATIN1/);
    await using careless = await startPostgres(['fsync=off']);
    await assert.rejects(openPostgresMetadataStore({ url: await careless.newDatabase() }), /fsync is off/);
  });

  it('refuses a server that is not there', async () => {
    const opening = openPostgresMetadataStore({ url: 'postgres://gantry@127.0.0.1:1/nothing' });
    await assert.rejects(opening, { name: 'StoreUnavailableError' });
  });
});

/** Writes from many sides until what happens meanwhile is over, and a little longer. */
async function storm(store: MetadataStore, happen: () => Promise<void>) {
  const acknowledged: string[] = [];
  const refused: unknown[] = [];
  let isOver = false;
  const write = async () => {
    while (!isOver) {
      const repository = newRepository();
      try {
        const made = await store.transaction('alone', async (records) => {
          await records.repositories.find(REGISTRY, repository.name);
          return records.repositories.insert(repository);
        });
        if (made) acknowledged.push(repository.name);
      } catch (error) {
        refused.push(error);
      }
    }
  };
  const writers = Array.from({ length: 8 }, write);
  await happen();
  await sleep((STORM_SECONDS * 1000) / 3);
  isOver = true;
  await Promise.all(writers);
  return { acknowledged, refused };
}

async function allNames(store: MetadataStore): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const page = await store.read.repositories.page(REGISTRY, names.at(-1) ?? '', 1000);
    if (page.length === 0) return names;
    names.push(...page.map(({ name }) => name));
  }
}
