import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { RegistryEvent } from '../../src/core/events/registry-event.ts';
import type { MetadataStore } from '../../src/core/metadata-store.ts';
import { openPostgresMetadataStore } from '../../src/drivers/metadata/postgres.ts';
import { REGISTRY } from '../contract/metadata-store/driver.ts';
import { type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';

describe('events of several nodes on PostgreSQL', { skip: withoutPostgres }, () => {
  let server: PostgresServer;
  let one: MetadataStore;
  let other: MetadataStore;
  before(async () => {
    server = await startPostgres();
    const url = await server.newDatabase();
    one = await openPostgresMetadataStore({ url });
    other = await openPostgresMetadataStore({ url });
    await one.migrate();
  });
  after(async () => {
    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('are told in the order of ids and without a gap, though the one with the smaller id is committed later', async () => {
    const start = await one.read.events.lastId();
    const late = await inserting(one, 'late');
    await insert(other, 'early');
    // The later id is there, and must not be told before the other: whoever asks for what follows would never see that.
    assert.deepEqual(await other.read.events.after(start, 10), []);
    const reading = namesAfter(other, start);
    await late.commit();
    assert.deepEqual(await reading, ['late', 'early']);
  });

  it('are not held up by a transaction that begins later and goes on', async () => {
    const start = await one.read.events.lastId();
    await insert(one, 'first');
    const reading = namesAfter(other, start);
    assert.deepEqual(await reading, ['first']);
    const open = await inserting(one, 'unfinished');
    await insert(other, 'second');
    await open.commit();
    assert.deepEqual(await namesAfter(other, start), ['first', 'unfinished', 'second']);
  });

  it('are all told to who follows them while many write', async () => {
    let last = await one.read.events.lastId();
    const written = Array.from({ length: 60 }, (_, number) => `${number}`);
    const told: string[] = [];
    const writing = Promise.all(written.map((name, place) => insert(place % 2 ? one : other, name)));
    while (told.length < written.length) {
      const page = await one.read.events.after(last, 7);
      told.push(...page.map(({ event }) => nameOf(event)));
      last = page.at(-1)?.id ?? last;
    }
    await writing;
    assert.deepEqual(told.toSorted(), written.toSorted());
  });
});

function eventNamed(repositoryName: string): RegistryEvent {
  return { kind: 'lifecycle-applied', repositoryName, expired: 1, transitioned: 0, failed: 0 };
}

function nameOf(event: RegistryEvent): string {
  return 'repositoryName' in event ? event.repositoryName : '';
}

function insert(store: MetadataStore, name: string): Promise<number[]> {
  const events = [eventNamed(name)];
  return store.transaction('own-rows', (records) =>
    records.events.insert({ registry: REGISTRY, events, at: new Date() }),
  );
}

/** An event whose id is taken and that nobody sees yet. */
async function inserting(store: MetadataStore, name: string) {
  const { promise: committing, resolve: commit } = Promise.withResolvers<void>();
  const { promise: inserted, resolve: isInserted } = Promise.withResolvers<void>();
  const running = store.transaction('own-rows', async (records) => {
    await records.events.insert({ registry: REGISTRY, events: [eventNamed(name)], at: new Date() });
    isInserted();
    await committing;
  });
  await inserted;
  return {
    async commit() {
      commit();
      await running;
    },
  };
}

/** The first that are told after an id. */
async function namesAfter(store: MetadataStore, id: number): Promise<string[]> {
  for (;;) {
    const found = await store.read.events.after(id, 10);
    if (found.length > 0) return found.map(({ event }) => nameOf(event));
  }
}
