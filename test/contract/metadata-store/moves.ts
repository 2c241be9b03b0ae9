import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Move, MovedBlob } from '../../../src/core/moving/move-records.ts';
import {
  addBlob,
  addImage,
  addLayer,
  addRepository,
  type MetadataStoreDriver,
  MOMENT,
  minutesLater,
  openMigrated,
} from './driver.ts';

const MOVE: Move = {
  id: '00000000-0000-0000-0000-000000000001',
  stage: 'leaving',
  from: { facts: 'here', bytes: 'here' },
  to: { facts: 'there', bytes: 'far' },
  at: MOMENT,
};

const copyOf = ({ location, digest, bytes }: { location: string; digest: MovedBlob['digest']; bytes: number }) =>
  ({ from: location, to: `copy of ${location}`, digest, bytes }) satisfies MovedBlob;

export function describeMoves(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: moves`, () => {
    it('keeps the last move, and who has it', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const work = store.transaction.bind(store, 'own-rows');
      const hold = (holder: string, until: Date, now: Date) =>
        store.transaction('own-rows', ({ moves }) => moves.hold(holder, until, now));
      assert.equal(await store.read.moves.find(), undefined);
      assert.equal(await hold('one', minutesLater(1), MOMENT), false);
      await work(({ moves }) => moves.put(MOVE));
      assert.deepEqual(await store.read.moves.find(), MOVE);
      assert.equal(await hold('one', minutesLater(1), MOMENT), true);
      assert.equal(await hold('other', minutesLater(1), MOMENT), false);
      assert.equal(await hold('one', minutesLater(2), MOMENT), true);
      assert.equal(await hold('other', minutesLater(4), minutesLater(3)), true);
      await work(({ moves }) => moves.release('one'));
      assert.equal(await hold('one', minutesLater(5), minutesLater(3)), false);
      await work(({ moves }) => moves.release('other'));
      assert.equal(await hold('one', minutesLater(5), minutesLater(3)), true);
      const later: Move = { ...MOVE, stage: 'left', at: minutesLater(1) };
      await work(({ moves }) => moves.put(later));
      assert.deepEqual(await store.read.moves.find(), later);
      await work(({ moves }) => moves.clear());
      assert.equal(await store.read.moves.find(), undefined);
    });

    it('keeps a ledger of copies, and which of them were read again', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      assert.deepEqual(await store.read.moves.copied(), { blobs: 0, bytes: 0 });
      const digest = 'sha256:00';
      const protection = { kind: 'data-key', keyId: 'k', wrapped: 'w', context: { a: 'b' } } as const;
      const [a, b, c] = [
        { ...copyOf({ location: 'a', digest, bytes: 1 }), protection },
        copyOf({ location: 'b', digest, bytes: 20 }),
        copyOf({ location: 'c', digest, bytes: 300 }),
      ];
      await store.transaction('own-rows', async ({ moves }) => {
        for (const copy of [c, a, b]) await moves.noteCopy(copy);
      });
      const { moves } = store.read;
      assert.deepEqual(await moves.copied(), { blobs: 3, bytes: 321 });
      assert.deepEqual(await moves.copies('', 2), [a, b]);
      assert.deepEqual(await moves.copies('b', 2), [c]);
      assert.deepEqual(await moves.copiesOf(['c', 'd']), [c]);
      const listed = [
        { location: a.to, bytes: 1 },
        { location: b.to, bytes: 21 },
        { location: 'a', bytes: 1 },
      ];
      assert.equal(await moves.countAmong(listed), 1);
      await store.transaction('own-rows', (records) => records.moves.noteRead(['a', 'c']));
      assert.deepEqual(await moves.unread('', 5), [b]);
      await store.transaction('own-rows', (records) => records.moves.forgetCopy('b'));
      assert.deepEqual(await moves.copies('', 5), [a, c]);
      await store.transaction('own-rows', (records) => records.moves.forgetCopies());
      assert.deepEqual(await moves.copied(), { blobs: 0, bytes: 0 });
    });

    it('points blobs at their copies, and says how many have none', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const repository = await addRepository(store);
      const layer = await addLayer(store, repository.id);
      const image = await addImage(store, repository.id, { layers: [layer.digest] });
      const other = await addBlob(store);
      await store.transaction('alone', async ({ images, blobs }) => {
        await images.setStatus(image.id, { status: 'ARCHIVED' });
        await blobs.markArchived(image.id, MOMENT);
      });
      assert.equal(await store.read.blobs.isArchived(layer.id), true);
      await store.transaction('own-rows', ({ moves }) => moves.noteCopy(copyOf(layer)));
      assert.equal(await store.transaction('alone', ({ moves }) => moves.relocate(true)), 1);
      const locations = async () => (await store.read.blobs.page(0, 5)).map(({ location }) => location);
      assert.deepEqual(await locations(), [copyOf(layer).to, other.location]);
      assert.equal(await store.read.blobs.isArchived(layer.id), true);

      const moved = { ...copyOf(layer), from: copyOf(layer).to, to: 'third' };
      await store.transaction('own-rows', async ({ moves }) => {
        await moves.noteCopy(moved);
        await moves.noteCopy(copyOf(other));
      });
      assert.equal(await store.transaction('alone', ({ moves }) => moves.relocate(false)), 0);
      assert.deepEqual(await locations(), ['third', copyOf(other).to]);
      assert.equal(await store.read.blobs.isArchived(layer.id), false);
    });
  });
}
