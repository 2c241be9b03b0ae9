import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Job, JobKind } from '../../../src/core/jobs/job-kinds.ts';
import type { NewJob } from '../../../src/core/jobs/job-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import { type MetadataStoreDriver, MOMENT, minutesLater, openMigrated } from './driver.ts';

const KIND = 'apply-lifecycle';

const lease = (leaseId: string, minutes = 1) => ({ leaseId, until: minutesLater(minutes) });

const enqueue = (store: MetadataStore, repositoryId: number, more: Partial<NewJob<typeof KIND>> = {}, now = MOMENT) =>
  store.transaction('alone', ({ jobs }) => jobs.enqueue({ kind: KIND, payload: { repositoryId }, ...more }, now));

const claim = (store: MetadataStore, leaseId: string, now = MOMENT, limit = 10) =>
  store.transaction('alone', ({ jobs }) =>
    jobs.claim(KIND, { leaseId, until: new Date(now.getTime() + 60_000) }, now, limit),
  );

const repositoriesOf = (jobs: readonly Job<typeof KIND>[]) => jobs.map(({ payload }) => payload.repositoryId);

const isDue = async (store: MetadataStore, now = MOMENT, kind: JobKind = KIND) =>
  (await store.read.jobs.dueKinds([kind], now)).includes(kind);

/** Claims the only job and gives it up. */
async function giveUpOne(store: MetadataStore, at = MOMENT): Promise<number> {
  const [job] = await claim(store, 'given up', at);
  await store.transaction('alone', ({ jobs }) => jobs.giveUp(job!.id, 'given up', { at, error: 'in vain' }));
  return job!.id;
}

export function describeJobs(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: jobs`, () => {
    it('are claimed with what they were told, oldest first, and no more than asked for', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      await enqueue(store, 3, { dueAt: minutesLater(2) });
      await enqueue(store, 1);
      await enqueue(store, 2, { dueAt: minutesLater(1) });
      const now = minutesLater(3);
      const [first, ...none] = await claim(store, 'a', now, 1);
      assert.deepEqual(none, []);
      assert.deepEqual(first, {
        id: first!.id,
        kind: KIND,
        payload: { repositoryId: 1 },
        attempts: 1,
        createdAt: MOMENT,
        dueAt: new Date(now.getTime() + 60_000),
      });
      assert.deepEqual(await store.read.jobs.find(first!.id), first);
      assert.deepEqual(repositoriesOf(await claim(store, 'a', now, 1)), [2]);
      assert.deepEqual(repositoriesOf(await claim(store, 'a', now)), [3]);
      assert.deepEqual(await claim(store, 'a', now), []);
    });

    it('are due from their time on, kind by kind, and not while they are being done', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const other = { kind: 'deliver-event', payload: { eventId: 1, target: 't' } } as const;
      await enqueue(store, 1, { dueAt: minutesLater(1) });
      await store.transaction('alone', ({ jobs }) => jobs.enqueue(other, MOMENT));
      const kinds = [KIND, 'deliver-event', 'collect-garbage'] as const;
      assert.deepEqual(await store.read.jobs.dueKinds(kinds, MOMENT), ['deliver-event']);
      assert.deepEqual(await claim(store, 'a'), []);
      const due = await store.read.jobs.dueKinds(kinds, minutesLater(1));
      assert.deepEqual(due.toSorted(), [KIND, 'deliver-event']);
      assert.deepEqual(repositoriesOf(await claim(store, 'a', minutesLater(1))), [1]);
      assert.deepEqual(await store.read.jobs.dueKinds(kinds, minutesLater(1)), ['deliver-event']);
      assert.deepEqual(await store.read.jobs.dueKinds([], minutesLater(1)), []);
    });

    it('come back when their lease runs out, unless it is renewed', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      await enqueue(store, 1);
      const [job] = await claim(store, 'a');
      assert.ok(await store.transaction('alone', ({ jobs }) => jobs.renew(job!.id, lease('a', 2))));
      assert.equal(await isDue(store, minutesLater(1)), false);
      const [again] = await claim(store, 'b', minutesLater(2));
      assert.equal(again?.attempts, 2);
      const belated = await store.transaction('alone', async ({ jobs }) => {
        await jobs.retry(job!.id, 'a', { dueAt: MOMENT, error: 'late' });
        await jobs.giveUp(job!.id, 'a', { at: MOMENT, error: 'late' });
        await jobs.release(job!.id, 'a', MOMENT);
        return [await jobs.renew(job!.id, lease('a', 5)), await jobs.complete(job!.id, 'a')];
      });
      assert.deepEqual(belated, [false, false]);
      assert.deepEqual(await store.read.jobs.find(job!.id), again);
      assert.equal(await store.transaction('alone', ({ jobs }) => jobs.complete(job!.id, 'b')), true);
      assert.equal(await store.read.jobs.find(job!.id), undefined);
    });

    it('of one key wait once; one that is being done does not stand for the next', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      for (let count = 0; count < 2; count++) await enqueue(store, 1, { key: 'k' });
      await enqueue(store, 2, { key: 'other' });
      for (let count = 0; count < 2; count++) await enqueue(store, 3);
      const taken = await claim(store, 'a');
      assert.deepEqual(repositoriesOf(taken), [1, 2, 3, 3]);
      for (let count = 0; count < 2; count++) await enqueue(store, 4, { key: 'k' });
      assert.deepEqual(repositoriesOf(await claim(store, 'b')), [4]);
    });

    it('go back into the queue with what went wrong, but not beside another of their key', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      await enqueue(store, 1, { key: 'k' });
      await enqueue(store, 2, { key: 'l' });
      const [first, second] = await claim(store, 'a');
      await enqueue(store, 3, { key: 'k' });
      const failure = { dueAt: minutesLater(1), error: 'why' };
      await store.transaction('alone', async ({ jobs }) => {
        for (const { id } of [first!, second!]) await jobs.retry(id, 'a', failure);
      });
      assert.equal(await store.read.jobs.find(first!.id), undefined);
      const waiting = await store.read.jobs.find(second!.id);
      assert.deepEqual(waiting, { ...second, dueAt: minutesLater(1), lastError: 'why' });
      const again = await claim(store, 'b', minutesLater(1));
      assert.deepEqual(repositoriesOf(again), [2, 3]);
      assert.equal(again[0]?.attempts, 2);
    });

    it('are as if they had not been claimed once they are released', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      await enqueue(store, 1, { key: 'k' });
      await enqueue(store, 2, { key: 'l' });
      const [first, second] = await claim(store, 'a');
      await enqueue(store, 3, { key: 'l' });
      await store.transaction('alone', async ({ jobs }) => {
        for (const { id } of [first!, second!]) await jobs.release(id, 'a', MOMENT);
      });
      const again = await claim(store, 'b');
      assert.deepEqual(
        again.map(({ attempts }) => attempts),
        [1, 1],
      );
      assert.deepEqual(repositoriesOf(again), [1, 3]);
    });

    it('that are being done are all released at once, one of a key', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      for (const [id, key] of [
        [1, 'k'],
        [2, 'l'],
        [3, undefined],
      ] as const) {
        await enqueue(store, id, key === undefined ? {} : { key });
      }
      await claim(store, 'a');
      await enqueue(store, 4, { key: 'k' });
      await claim(store, 'b');
      await enqueue(store, 5, { key: 'l' });
      assert.equal(await store.transaction('alone', ({ jobs }) => jobs.releaseAll(MOMENT)), 4);
      const again = await claim(store, 'c');
      assert.deepEqual(repositoriesOf(again), [1, 3, 5]);
      assert.deepEqual(
        again.map(({ attempts }) => attempts),
        [2, 2, 1],
      );
    });
  });

  describe(`${driver.name}: jobs given up`, () => {
    it('are listed and counted, hold no place in the queue, and begin anew when revived', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      await enqueue(store, 1, { key: 'k' });
      const id = await giveUpOne(store);
      const [listed, ...none] = await store.read.jobs.dead(KIND, 0, 10);
      assert.deepEqual([listed?.id, listed?.lastError, listed?.deadAt, none], [id, 'in vain', MOMENT, []]);
      assert.deepEqual(await store.read.jobs.dead(KIND, id, 10), []);
      assert.deepEqual(await store.read.jobs.dead('deliver-event', 0, 10), []);
      assert.equal(await isDue(store, minutesLater(99)), false);
      await enqueue(store, 2, { key: 'k' });
      assert.deepEqual(await store.read.jobs.counts(), [{ kind: KIND, waiting: 1, dead: 1 }]);
      assert.deepEqual(repositoriesOf(await claim(store, 'a')), [2]);
      assert.equal(await store.transaction('alone', ({ jobs }) => jobs.revive(id, MOMENT)), true);
      const [again] = await claim(store, 'b');
      assert.deepEqual([again?.id, again?.attempts, again?.deadAt], [id, 1, undefined]);
      assert.equal(await store.transaction('alone', ({ jobs }) => jobs.revive(id, MOMENT)), false);
    });

    it('are dropped when they are revived beside another of their key', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      await enqueue(store, 1, { key: 'k' });
      const id = await giveUpOne(store);
      await enqueue(store, 2, { key: 'k' });
      assert.equal(await store.transaction('alone', ({ jobs }) => jobs.revive(id, MOMENT)), true);
      assert.equal(await store.read.jobs.find(id), undefined);
      assert.deepEqual(repositoriesOf(await claim(store, 'a')), [2]);
    });

    it('are discarded one by one, or those before a time', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const ids: number[] = [];
      for (const minutes of [0, 1, 2, 3]) {
        await enqueue(store, minutes, {}, minutesLater(minutes));
        ids.push(await giveUpOne(store, minutesLater(minutes)));
      }
      await enqueue(store, 9);
      const discard = (id: number) => store.transaction('alone', ({ jobs }) => jobs.discard(id));
      assert.deepEqual([await discard(ids[0]!), await discard(ids[0]!)], [true, false]);
      const old = (limit: number) => store.transaction('alone', ({ jobs }) => jobs.discardDead(minutesLater(3), limit));
      assert.deepEqual([await old(1), await old(10), await old(10)], [1, 1, 0]);
      assert.deepEqual(
        (await store.read.jobs.dead(KIND, 0, 10)).map(({ id }) => id),
        [ids[3]],
      );
      const [waiting] = await claim(store, 'a');
      assert.equal(await discard(waiting!.id), false);
    });
  });

  describe(`${driver.name}: schedules`, () => {
    it('are due an interval after they were first asked for, and then after they fired', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const fire = (minutes: number, name = 's') =>
        store.transaction('alone', ({ jobs }) => jobs.fire(name, 60, minutesLater(minutes)));
      assert.equal(await store.read.jobs.firedAt('s'), undefined);
      assert.deepEqual([await fire(0), await fire(0.9)], [false, false]);
      assert.deepEqual(await store.read.jobs.firedAt('s'), MOMENT);
      assert.deepEqual(
        [await fire(1.5), await fire(1.5), await fire(2.4), await fire(2.5)],
        [true, false, false, true],
      );
      assert.deepEqual(await store.read.jobs.firedAt('s'), minutesLater(2.5));
      assert.equal(await fire(9, 'other'), false);
      // By a clock that was set back since.
      assert.deepEqual(
        [await fire(1.5), await fire(1.4), await fire(1.4), await fire(2.4)],
        [false, true, false, true],
      );
    });
  });
}

/** For drivers whose records are shared with other processes. */
export function describeSharedJobs(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: jobs of two instances`, () => {
    it('are claimed once, however the instances meet', async () => {
      await using opened = await openMigrated(driver);
      await using another = await opened.another!();
      const count = 200;
      await opened.store.transaction('alone', async ({ jobs }) => {
        for (let id = 0; id < count; id++) await jobs.enqueue({ kind: KIND, payload: { repositoryId: id } }, MOMENT);
      });
      const claimed = await Promise.all(
        [opened.store, another].map(async (store, index) => {
          const mine: number[] = [];
          for (;;) {
            const jobs = await claim(store, `instance ${index}`, MOMENT, 3);
            if (jobs.length === 0) return mine;
            mine.push(...repositoriesOf(jobs));
          }
        }),
      );
      assert.deepEqual(
        claimed.flat().sort((one, other) => one - other),
        Array.from({ length: count }, (_, id) => id),
      );
    });

    it('fire a schedule once, however the instances meet', async () => {
      await using opened = await openMigrated(driver);
      await using another = await opened.another!();
      const stores = [opened.store, another];
      const fire = (minutes: number) =>
        stores.map((store) => store.transaction('alone', ({ jobs }) => jobs.fire('s', 60, minutesLater(minutes))));
      assert.deepEqual(await Promise.all(fire(0)), [false, false]);
      for (let minutes = 1; minutes < 20; minutes++) {
        const fired = await Promise.all(fire(minutes));
        assert.deepEqual(fired.toSorted(), [false, true]);
      }
    });
  });
}
