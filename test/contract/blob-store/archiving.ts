import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BlobLocation, BlobStore } from '../../../src/core/blob-store.ts';
import { all, type BlobStoreDriver, contentOf, type OpenStore, readAll, sealed } from './driver.ts';

/** For drivers with an archive. What reads, lists and deletes must give the same answers wherever the bytes lie. */
export function describeArchiving(driver: BlobStoreDriver): void {
  describe(`${driver.name}: archiving`, () => {
    let opened: OpenStore;
    let store: BlobStore;
    let archive: (location: BlobLocation) => Promise<boolean>;
    let restore: (location: BlobLocation) => Promise<boolean>;
    before(async () => {
      opened = await driver.open();
      store = opened.store;
      assert.ok(store.archive && store.restore);
      archive = (location) => store.archive!(location);
      restore = (location) => store.restore!(location);
    });
    after(() => opened[Symbol.asyncDispose]());

    for (const size of [0, 1, 300_000, 3_000_000]) {
      it(`leaves ${size} bytes readable at their location, there and back`, async () => {
        const content = contentOf(size);
        const { location, digest, uploadId } = await sealed(store, content);
        for (const move of [archive, archive, restore, restore, archive]) {
          assert.equal(await move(location), true);
          assert.deepEqual(await store.stat(location), { bytes: size });
          assert.ok(content.equals((await readAll(store, location))!));
          const listed = (await all(store.list())).filter((blob) => blob.location === location);
          assert.deepEqual(
            listed.map((blob) => [blob.digest, blob.bytes, blob.uploadId]),
            [[digest, size, uploadId]],
          );
        }
      });
    }

    it('gives ranges of archived bytes, and refuses those that are not within them', async () => {
      const content = contentOf(5000);
      const { location } = await sealed(store, content);
      await archive(location);
      const range = { first: 100, last: 199 };
      assert.ok(content.subarray(100, 200).equals((await readAll(store, location, range))!));
      await assert.rejects(store.read(location, { first: 0, last: 5000 }), RangeError);
    });

    it('deletes what is archived, and says that nothing is there', async () => {
      const { location } = await sealed(store, contentOf(1000));
      await archive(location);
      await store.delete(location);
      assert.equal(await store.stat(location), undefined);
      assert.equal(await store.read(location), undefined);
      assert.ok(!(await all(store.list())).some((blob) => blob.location === location));
      assert.equal(await archive(location), false);
      assert.equal(await restore(location), false);
    });

    it('moves one of two blobs of the same bytes', async () => {
      const content = contentOf(2000);
      const one = await sealed(store, content);
      const other = await sealed(store, content);
      await archive(one.location);
      await store.delete(other.location);
      assert.ok(content.equals((await readAll(store, one.location))!));
    });

    it('never fails a reader while bytes are moved', async () => {
      const content = contentOf(700_000);
      const { location } = await sealed(store, content);
      let isMoving = true;
      const reading = Array.from({ length: 4 }, async () => {
        let reads = 0;
        for (; isMoving; reads++) {
          assert.ok((await readAll(store, location))?.equals(content));
          assert.deepEqual(await store.stat(location), { bytes: 700_000 });
        }
        return reads;
      });
      for (let round = 0; round < 20; round++)
        assert.equal(await (round % 2 === 0 ? archive : restore)(location), true);
      isMoving = false;
      for (const reads of await Promise.all(reading)) assert.ok(reads > 0);
    });

    it('lets go on what was being read when it is moved', async () => {
      const content = contentOf(3_000_000);
      const { location } = await sealed(store, content);
      await using reader = (await store.read(location))!;
      const chunks: Buffer[] = [];
      for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
        chunks.push(Buffer.from(chunk));
        reader.recycle(chunk);
        if (chunks.length === 1) await archive(location);
      }
      assert.ok(content.equals(Buffer.concat(chunks)));
    });

    it('ends with the bytes where the last of many moves took them, whoever asked', async () => {
      const content = contentOf(400_000);
      const { location } = await sealed(store, content);
      const asked = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? archive : restore)(location));
      assert.deepEqual(await Promise.all(asked), Array(10).fill(true));
      assert.ok(content.equals((await readAll(store, location))!));
      await Promise.all([archive(location), store.delete(location), restore(location)]);
      assert.equal(await store.stat(location), undefined);
    });

    it('finds what another instance archived', async (test) => {
      if (opened.reopen === undefined) return test.skip('nothing outlives this store');
      const content = contentOf(3000);
      const { location } = await sealed(store, content);
      await archive(location);
      await using other = await opened.reopen();
      assert.ok(content.equals((await readAll(other, location))!));
      assert.equal(await other.restore!(location), true);
      assert.ok(content.equals((await readAll(store, location))!));
    });
  });
}
