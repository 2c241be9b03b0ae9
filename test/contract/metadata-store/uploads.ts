import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { UploadRecords } from '../../../src/core/layers/upload-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import {
  addRepository,
  type MetadataStoreDriver,
  MOMENT,
  minutesLater,
  newUpload,
  type OpenStore,
  openMigrated,
} from './driver.ts';

export function describeUploads(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: uploads`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    let repositoryId: number;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
      repositoryId = (await addRepository(store)).id;
    });
    after(() => opened[Symbol.asyncDispose]());

    const add = async (changes = {}) => {
      const upload = newUpload(repositoryId, changes);
      await store.transaction('alone', ({ uploads }) => uploads.insert(upload));
      return upload;
    };

    it('gives back what was inserted, to its repository alone', async () => {
      const full = { parts: 3, bytes: 52_000_000_000, lastPartBytes: 7, smallestEarlierPartBytes: 5_242_880 };
      for (const upload of [await add(), await add(full)]) {
        const found = await store.read.uploads.find(repositoryId, upload.id);
        assert.deepEqual(found, upload);
        assert.deepEqual(Object.keys(found).sort(), Object.keys(upload).sort());
        assert.equal(await store.read.uploads.find(repositoryId + 1000, upload.id), undefined);
        assert.equal(await store.read.uploads.exists(upload.id), true);
      }
      assert.equal(await store.read.uploads.find(repositoryId, 'none'), undefined);
      assert.equal(await store.read.uploads.exists('none'), false);
    });

    it('refuses a second of the same id', async () => {
      const { id } = await add();
      await assert.rejects(add({ id }));
    });

    it('updates what is named, and nothing else', async () => {
      const upload = await add();
      const other = await add();
      const update = (changes: Parameters<UploadRecords['update']>[1]) =>
        store.transaction('alone', ({ uploads }) => uploads.update(upload.id, changes));
      const find = () => store.read.uploads.find(repositoryId, upload.id);
      await update({});
      assert.deepEqual(await find(), upload);
      const part = { parts: 1, bytes: 10, lastPartBytes: 10, touchedAt: minutesLater(1) };
      await update(part);
      assert.deepEqual(await find(), { ...upload, ...part });
      await update({ smallestEarlierPartBytes: 10, parts: 0 });
      assert.deepEqual(await find(), { ...upload, ...part, smallestEarlierPartBytes: 10, parts: 0 });
      assert.deepEqual(await store.read.uploads.find(repositoryId, other.id), other);
    });

    it('says on deletion whether there was one', async () => {
      const { id } = await add();
      const remove = () => store.transaction('alone', ({ uploads }) => uploads.delete(id));
      assert.equal(await remove(), true);
      assert.equal(await remove(), false);
      assert.equal(await store.read.uploads.exists(id), false);
    });

    it('is held by one at a time, until its time is over', async () => {
      const upload = await add();
      const hold = (holder: string, from: number, until: number) => ({
        holder,
        since: minutesLater(from),
        until: minutesLater(until),
      });
      const within = <T>(work: (uploads: UploadRecords) => Promise<T>) =>
        store.transaction('own-rows', ({ uploads }) => work(uploads));
      const take = (holder: string, from: number, until: number) =>
        within((uploads) => uploads.hold(repositoryId, upload.id, hold(holder, from, until)));
      assert.deepEqual(await take('one', 0, 10), upload);
      assert.equal(await take('other', 9, 19), undefined);
      assert.deepEqual(await take('one', 9, 20), upload);
      assert.equal(await take('other', 19, 29), undefined);
      const renew = (holder: string, until: number) =>
        within((uploads) => uploads.renew(upload.id, hold(holder, 0, until)));
      assert.deepEqual([await renew('one', 30), await renew('other', 60)], [true, false]);
      assert.equal(await take('other', 29, 40), undefined);
      assert.deepEqual(await take('other', 30, 40), upload);
      assert.equal(await renew('one', 60), false);
      assert.equal(await take('one', 39, 49), undefined);
      assert.equal(await renew('other', 39), true);
      assert.deepEqual(await store.read.uploads.find(repositoryId, upload.id), upload);
    });

    it('is given up by its holder alone, with what was written', async () => {
      const upload = await add();
      const other = await add();
      const hold = { holder: 'one', since: MOMENT, until: minutesLater(10) };
      const release = (holder: string, id = upload.id) =>
        store.transaction('own-rows', ({ uploads }) => uploads.release(id, holder, { parts: 1, bytes: 5 }));
      const take = (id: string, holder: string, inRepository = repositoryId) =>
        store.transaction('own-rows', ({ uploads }) => uploads.hold(inRepository, id, { ...hold, holder }));
      await take(upload.id, 'one');
      await take(other.id, 'one');
      assert.equal(await release('two'), false);
      assert.deepEqual(await store.read.uploads.find(repositoryId, upload.id), upload);
      assert.equal(await release('one'), true);
      const written = { ...upload, parts: 1, bytes: 5 };
      assert.deepEqual(await store.read.uploads.find(repositoryId, upload.id), written);
      assert.equal(await release('one'), false);
      assert.deepEqual(await take(upload.id, 'two'), written);
      assert.equal(await take(other.id, 'two'), undefined);
      assert.equal(await take(upload.id, 'two', repositoryId + 1000), undefined);
      assert.equal(await take('none', 'two'), undefined);
      assert.equal(await release('two', 'none'), false);
    });

    it('lists those not touched since, oldest first, no more than asked for', async () => {
      const [late, early, middle] = [
        await add({ touchedAt: minutesLater(-10) }),
        await add({ touchedAt: minutesLater(-30) }),
        await add({ touchedAt: minutesLater(-20) }),
      ];
      assert.deepEqual(await store.read.uploads.idle(minutesLater(-10), 10), [early, middle]);
      assert.deepEqual(await store.read.uploads.idle(minutesLater(-9), 10), [early, middle, late]);
      assert.deepEqual(await store.read.uploads.idle(minutesLater(-9), 2), [early, middle]);
    });

    it('lists none that was held since', async () => {
      const [held, abandoned] = [
        await add({ touchedAt: minutesLater(-60) }),
        await add({ touchedAt: minutesLater(-59) }),
      ];
      for (const [{ id }, until] of [
        [held, minutesLater(-40)],
        [abandoned, minutesLater(-41)],
      ] as const) {
        const hold = { holder: 'one', since: minutesLater(-60), until };
        await store.transaction('own-rows', ({ uploads }) => uploads.hold(repositoryId, id, hold));
      }
      assert.deepEqual(await store.read.uploads.idle(minutesLater(-40), 10), [abandoned]);
    });
  });
}
