import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type BlobStore, StagedOffsetError } from '../../../src/core/blob-store.ts';
import { digestOf } from '../../../src/core/values/digest.ts';
import { all, append, type BlobStoreDriver, contentOf, type OpenStore, sha512Of } from './driver.ts';

const MIB = 1024 * 1024;

export function describeStaging(driver: BlobStoreDriver): void {
  describe(`${driver.name}: staged bytes`, () => {
    let opened: OpenStore;
    let store: BlobStore;
    before(async () => {
      opened = await driver.open();
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    it('has nothing of an upload nobody wrote to', async () => {
      const id = randomUUID();
      assert.equal(await store.stagedBytes(id), 0);
      assert.equal(await store.digest(id, 'sha256'), digestOf(new Uint8Array()));
      await store.truncate(id, 0);
      await store.discard(id);
      const ids = (await all(store.staged())).map((upload) => upload.uploadId);
      assert.ok(!ids.includes(id));
    });

    it('refuses an appender at any offset but the end', async () => {
      const id = randomUUID();
      await append(store, id, 0, contentOf(10));
      for (const offset of [0, 9, 11]) {
        await assert.rejects(store.appender(id, offset), (error) => {
          assert.ok(error instanceof StagedOffsetError);
          assert.equal(error.stagedBytes, 10);
          return true;
        });
      }
      assert.equal(await store.stagedBytes(id), 10);
      await assert.rejects(store.appender(randomUUID(), 1), StagedOffsetError);
    });

    it('stages nothing when an append brings nothing', async () => {
      const id = randomUUID();
      assert.equal(await append(store, id, 0, new Uint8Array(), { durable: true }), 0);
      const appender = await store.appender(id, 0);
      appender.write(new Uint8Array());
      assert.equal(await appender.close(false), 0);
      assert.equal(await store.stagedBytes(id), 0);
    });

    for (const durable of [false, true]) {
      it(`takes 20 MiB in odd pieces, durable: ${durable}`, async () => {
        const id = randomUUID();
        const content = contentOf(20 * MIB + 77);
        const appender = await store.appender(id, 0);
        for (let at = 0, size = 1; at < content.byteLength; at += size, size = ((size * 7) % 131_071) + 1) {
          if (!appender.write(new Uint8Array(content.subarray(at, at + size)))) await appender.drained();
        }
        assert.equal(await appender.close(durable), content.byteLength);
        assert.equal(await store.stagedBytes(id), content.byteLength);
        assert.equal(await store.digest(id, 'sha256'), digestOf(content));
        assert.equal(await store.digest(id, 'sha512'), sha512Of(content));
        await store.discard(id);
      });
    }

    it('leaves alone what shares memory with a chunk', async () => {
      const id = randomUUID();
      const slab = contentOf(3 * MIB);
      const untouched = Buffer.from(slab);
      const appender = await store.appender(id, 0);
      const pieces = [
        slab.subarray(0, 10),
        slab.subarray(10, 5000),
        slab.subarray(5000, 2 * MIB),
        Buffer.from('pooled'),
      ];
      const expected = Buffer.concat(pieces);
      for (const piece of pieces) if (!appender.write(piece)) await appender.drained();
      await appender.close(false);
      assert.ok(slab.equals(untouched));
      assert.equal(await store.digest(id, 'sha256'), digestOf(expected));
      assert.equal((await append(store, id, expected.byteLength, slab)) - expected.byteLength, slab.byteLength);
    });

    it('takes a chunk larger than everything it queues', async () => {
      const id = randomUUID();
      const content = contentOf(9 * MIB);
      const expected = digestOf(content);
      const appender = await store.appender(id, 0);
      appender.write(content);
      await appender.drained();
      assert.equal(await appender.close(true), 9 * MIB);
      assert.equal(await store.digest(id, 'sha256'), expected);
    });

    it('takes a flood of single bytes', async () => {
      const id = randomUUID();
      const content = contentOf(300_000);
      await append(store, id, 0, content, { chunkBytes: 1 });
      assert.equal(await store.digest(id, 'sha256'), digestOf(content));
    });

    it('lets the end of an append be asked for twice', async () => {
      const appender = await store.appender(randomUUID(), 0);
      appender.write(contentOf(5));
      assert.equal(await appender.close(false), 5);
      assert.equal(await appender.close(false), 5);
    });

    // Sizes on both sides of every border between small and large, in every order.
    const sizes = [1, 4095, 4096, 200_000, 256 * 1024, 256 * 1024 + 1, 700_000];
    it('digests the same however the bytes are cut into appends', async () => {
      for (const first of sizes) {
        for (const second of sizes) {
          const id = randomUUID();
          const content = contentOf(first + second + 1000);
          await append(store, id, 0, content.subarray(0, first));
          await append(store, id, first, content.subarray(first, first + second), { durable: true });
          assert.equal(await store.digest(id, 'sha256'), digestOf(content.subarray(0, first + second)));
          await append(store, id, first + second, content.subarray(first + second));
          assert.equal(await store.digest(id, 'sha256'), digestOf(content), `${first} + ${second} + 1000`);
          assert.equal(await store.digest(id, 'sha512'), sha512Of(content));
          await store.discard(id);
        }
      }
    });

    it('cuts back, and goes on from there', async () => {
      for (const [size, kept] of [
        [1000, 0],
        [1000, 400],
        [2_000_000, 100_000],
        [2_000_000, 1_000_000],
      ] as const) {
        const id = randomUUID();
        const content = contentOf(size);
        const more = contentOf(600_000);
        await append(store, id, 0, content);
        await store.truncate(id, size + 1);
        await store.truncate(id, size);
        assert.equal(await store.stagedBytes(id), size);
        await store.truncate(id, kept);
        assert.equal(await store.stagedBytes(id), kept);
        assert.equal(await store.digest(id, 'sha256'), digestOf(content.subarray(0, kept)));
        await assert.rejects(store.appender(id, size), StagedOffsetError);
        assert.equal(await append(store, id, kept, more), kept + more.byteLength);
        assert.equal(await store.digest(id, 'sha256'), digestOf(Buffer.concat([content.subarray(0, kept), more])));
      }
    });

    it('digests again after a cut that the same number of bytes filled up', async () => {
      const id = randomUUID();
      await append(store, id, 0, contentOf(500_000));
      const content = contentOf(500_000);
      await store.truncate(id, 0);
      await append(store, id, 0, content);
      assert.equal(await store.digest(id, 'sha256'), digestOf(content));
    });

    it('forgets discarded bytes, and the id can begin anew', async () => {
      const id = randomUUID();
      await append(store, id, 0, contentOf(400_000));
      await store.discard(id);
      await store.discard(id);
      assert.equal(await store.stagedBytes(id), 0);
      assert.equal(await store.digest(id, 'sha256'), digestOf(new Uint8Array()));
      const content = contentOf(30);
      await append(store, id, 0, content);
      assert.equal(await store.digest(id, 'sha256'), digestOf(content));
    });

    it('lists every staged upload with its size and the time of its last change', async () => {
      const since = Date.now();
      const sizesById = new Map(Array.from({ length: 30 }, (_, index) => [randomUUID() as string, index + 1]));
      for (const [id, size] of sizesById) await append(store, id, 0, contentOf(size));
      const listed = (await all(store.staged())).filter((upload) => sizesById.has(upload.uploadId));
      assert.deepEqual(new Map(listed.map((upload) => [upload.uploadId, upload.bytes])), sizesById);
      assert.equal(listed.length, sizesById.size);
      // A file system's clock may tick a few milliseconds behind ours.
      for (const upload of listed) assert.ok(upload.changedAt.getTime() > since - 5000);
    });

    it('keeps many uploads at a time apart', async () => {
      await Promise.all(
        Array.from({ length: 24 }, async (_, index) => {
          const id = randomUUID();
          const content = contentOf(index % 2 === 0 ? 900_000 + index : 3000 + index);
          await append(store, id, 0, content.subarray(0, index * 30));
          await append(store, id, index * 30, content.subarray(index * 30), { durable: index % 3 === 0 });
          assert.equal(await store.digest(id, 'sha256'), digestOf(content));
        }),
      );
    });

    it('digests what another node put in place of what it saw itself', async (test) => {
      if (opened.reopen === undefined) return test.skip('nothing outlives this store');
      for (const size of [5000, 700_000]) {
        const id = randomUUID();
        await append(store, id, 0, contentOf(size));
        const content = contentOf(size);
        await using other = await opened.reopen();
        await other.truncate(id, 0);
        await append(other, id, 0, content);
        assert.equal(await store.digest(id, 'sha256'), digestOf(content));
        const more = contentOf(1000);
        await append(store, id, size, more);
        assert.equal(await store.digest(id, 'sha256'), digestOf(Buffer.concat([content, more])));
      }
    });

    it('knows after a restart what was staged', async (test) => {
      if (opened.reopen === undefined) return test.skip('nothing outlives this store');
      for (const [first, second] of [
        [3000, 2000],
        [200_000, 900_000],
        [900_000, 1000],
        [900_000, 900_000],
      ] as const) {
        const id = randomUUID();
        const content = contentOf(first + second);
        await append(store, id, 0, content.subarray(0, first), { durable: true });
        await using other = await opened.reopen();
        assert.equal(await other.stagedBytes(id), first);
        assert.equal(await other.digest(id, 'sha256'), digestOf(content.subarray(0, first)));
        assert.equal(await append(other, id, first, content.subarray(first), { durable: true }), first + second);
        assert.equal(await other.digest(id, 'sha256'), digestOf(content));
        assert.equal(await other.digest(id, 'sha512'), sha512Of(content));
        assert.equal(await store.digest(id, 'sha256'), digestOf(content), 'bytes that another node wrote');
      }
    });
  });
}
