import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventTarget } from '../../../src/core/events/event-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import { type MetadataStoreDriver, MOMENT, minutesLater, openMigrated, REGISTRY, someDigest } from './driver.ts';

const EVENT = {
  kind: 'image-pushed',
  repositoryName: 'some/name',
  digest: someDigest(),
  tag: 'schlüssel',
  mediaType: 'application/x',
} as const;

const insert = async (store: MetadataStore, at = MOMENT, registry = REGISTRY) => {
  const [id = 0] = await store.transaction('alone', ({ events }) => events.insert({ registry, events: [EVENT], at }));
  return id;
};

const idsAfter = async ({ read }: MetadataStore, id: number, limit = 10) =>
  (await read.events.after(id, limit)).map((event) => event.id);

export function describeEvents(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: events`, () => {
    it('are found and listed as they were announced, in their order', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      assert.deepEqual([await store.read.events.lastId(), await idsAfter(store, 0)], [0, []]);
      const elsewhere = { accountId: '111111111111', region: 'eu-west-1' };
      const first = await insert(store);
      const second = await insert(store, minutesLater(1), elsewhere);
      const third = await insert(store, minutesLater(2));
      assert.deepEqual(await store.read.events.find(second), {
        id: second,
        registry: elsewhere,
        event: EVENT,
        at: minutesLater(1),
      });
      assert.deepEqual(await idsAfter(store, 0), [first, second, third]);
      assert.deepEqual(await idsAfter(store, first, 1), [second]);
      assert.equal(await store.read.events.lastId(), third);
      assert.equal(await store.read.events.lastIdBefore(minutesLater(2)), second);
      assert.equal(await store.read.events.lastIdBefore(MOMENT), 0);
      assert.equal(await store.read.events.find(third + 1), undefined);
    });

    it('are announced many at once, in their order', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const events = Array.from({ length: 1000 }, (_, number) => ({ ...EVENT, tag: `v${number}` }));
      const ids = await store.transaction('alone', (records) =>
        records.events.insert({ registry: REGISTRY, events, at: MOMENT }),
      );
      const stored = await store.read.events.after(0, 2000);
      assert.deepEqual(
        stored.map(({ id, event }) => [id, event]),
        ids.map((id, place) => [id, events[place]]),
      );
    });

    it('are forgotten in time, later while a job delivers them, and some at a time', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const [first, second, third] = [await insert(store), await insert(store), await insert(store)];
      const young = await insert(store, minutesLater(5));
      for (const eventId of [first, second]) {
        const payload = { eventId, target: 't' };
        await store.transaction('alone', ({ jobs }) => jobs.enqueue({ kind: 'deliver-event', payload }, MOMENT));
      }
      const forget = (delivered: number, any: number, limit = 10) =>
        store.transaction('alone', ({ events }) =>
          events.deleteBefore({ delivered: minutesLater(delivered), any: minutesLater(any) }, limit),
        );
      assert.equal(await forget(0, 0), 0);
      assert.equal(await forget(5, 0), 1);
      assert.deepEqual(await idsAfter(store, 0), [first, second, young]);
      assert.equal(await store.read.events.find(third), undefined);
      // A delivery that was given up may be tried again; one that was done may not.
      await store.transaction('alone', async ({ jobs }) => {
        const lease = { leaseId: 'a', until: minutesLater(1) };
        const [failed, done] = await jobs.claim('deliver-event', lease, MOMENT, 2);
        await jobs.giveUp(failed!.id, 'a', { at: MOMENT, error: '' });
        await jobs.complete(done!.id, 'a');
      });
      assert.equal(await forget(5, 0), 1);
      assert.deepEqual(await idsAfter(store, 0), [first, young]);
      assert.equal(await forget(9, 9, 1), 1);
      assert.deepEqual(await idsAfter(store, 0), [young]);
    });
  });

  describe(`${driver.name}: targets of events`, () => {
    it('are put, replaced and deleted by name, and listed in its order', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const plain: EventTarget = { name: 'b', kind: 'file', settings: { path: '/x' }, createdAt: MOMENT };
      const sealed: EventTarget = {
        name: 'a',
        kind: 'webhook',
        settings: {},
        sealedSecret: new Uint8Array([0, 255]),
        createdAt: minutesLater(1),
      };
      const put = (target: EventTarget) => store.transaction('alone', ({ events }) => events.putTarget(target));
      for (const target of [plain, sealed]) await put(target);
      assert.deepEqual(await store.read.events.targets(), [sealed, plain]);
      await put({ ...plain, kind: 'webhook', settings: { url: 'y' } });
      assert.deepEqual((await store.read.events.targets())[1], { ...plain, kind: 'webhook', settings: { url: 'y' } });
      const remove = () => store.transaction('alone', ({ events }) => events.deleteTarget('a'));
      assert.deepEqual([await remove(), await remove()], [true, false]);
      assert.deepEqual(
        (await store.read.events.targets()).map(({ name }) => name),
        ['b'],
      );
    });
  });
}
