import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Backfill, BackfillItem } from '../../../src/core/replication/backfill-records.ts';
import { type MetadataStoreDriver, minutesLater, openMigrated, someDigest } from './driver.ts';

const registry = { accountId: '123456789012', region: 'eu-west-1' };
const destination = { ...registry, region: 'us-east-1' };

function newBackfill(startedMinute: number, changes: Partial<Backfill> = {}): Backfill {
  return {
    id: randomUUID(),
    registry,
    destination,
    status: 'PREPARING',
    total: 0,
    completed: 0,
    failed: 0,
    failureCodes: [],
    startedAt: minutesLater(startedMinute),
    ...changes,
  };
}

export function describeBackfills(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: backfills`, () => {
    it('lists those of a registry newest first, without those that ended long ago', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const old = newBackfill(1, { status: 'COMPLETE', endedAt: minutesLater(2) });
      const ended = newBackfill(3, { status: 'FAILED', failureCode: 'X', endedAt: minutesLater(9) });
      const running = newBackfill(4);
      const elsewhere = newBackfill(5, { registry: destination });
      await store.transaction('alone', async ({ backfills }) => {
        for (const each of [ended, elsewhere, old, running]) await backfills.insert(each);
      });
      const { backfills } = store.read;
      const all = { endedSince: minutesLater(0), limit: 9 };
      assert.deepEqual(await backfills.page(registry, all), [running, ended, old]);
      assert.deepEqual(await backfills.page(registry, { ...all, endedSince: minutesLater(9) }), [running, ended]);
      assert.deepEqual(await backfills.page(registry, { ...all, limit: 1 }), [running]);
      assert.deepEqual(await backfills.page(registry, { ...all, after: ended }), [old]);
      assert.deepEqual(await backfills.running(registry), [running]);
      assert.deepEqual(await backfills.find(registry, ended.id), ended);
      assert.equal(await backfills.find(registry, elsewhere.id), undefined);
      assert.deepEqual(await backfills.findById(elsewhere.id), elsewhere);
      assert.equal(
        await store.transaction('alone', (records) => records.backfills.deleteEnded(registry, minutesLater(9))),
        1,
      );
      assert.deepEqual(await backfills.page(registry, all), [running, ended]);
    });

    it('keeps how far each has come, and what came of every item', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const [one, two] = [newBackfill(1), newBackfill(2)];
      const items = ['', 'v1', 'v2'].map((tag, at): BackfillItem => {
        return { position: at + 1, repositoryName: 'a/b', digest: someDigest(), tag };
      });
      const [first, second, third] = items as [BackfillItem, BackfillItem, BackfillItem];
      const { backfills } = store.read;
      await store.transaction('alone', async (records) => {
        for (const each of [one, two]) await records.backfills.insert(each);
        assert.equal(await records.backfills.lastItem(one.id), undefined);
        await records.backfills.insertItems(one.id, items);
      });
      assert.deepEqual(await backfills.lastItem(one.id), third);
      assert.equal(await backfills.lastItem(two.id), undefined);
      assert.deepEqual(await backfills.pendingItems(one.id, 0, 2), [first, second]);
      assert.deepEqual(await backfills.pendingItems(one.id, 2, 2), [third]);
      const failed = { ...second, status: 'FAILED', failureCode: 'A', subImageFailureCodes: ['B', 'C'] } as const;
      const complete = { ...third, status: 'COMPLETE' } as const;
      const changes = { status: 'IN_PROGRESS', total: 3, completed: 1, failed: 1, failureCodes: ['A'] } as const;
      await store.transaction('alone', async (records) => {
        assert.equal(await records.backfills.putResult(one.id, failed), true);
        assert.equal(await records.backfills.putResult(one.id, complete), true);
        assert.equal(await records.backfills.putResult(one.id, { ...second, status: 'COMPLETE' }), false);
        await records.backfills.update(one.id, changes);
      });
      assert.deepEqual(await backfills.pendingItems(one.id, 0, 9), [first]);
      assert.deepEqual(await backfills.results(one.id, undefined, 0, 9), [failed, complete]);
      assert.deepEqual(await backfills.results(one.id, undefined, 2, 9), [complete]);
      assert.deepEqual(await backfills.results(one.id, 'FAILED', 0, 9), [failed]);
      assert.deepEqual(await backfills.results(one.id, 'COMPLETE', 0, 9), [complete]);
      assert.deepEqual(await backfills.findById(one.id), { ...one, ...changes });
      assert.deepEqual(await backfills.findById(two.id), two);
    });
  });
}
