import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { BlobStore } from '../../../src/core/blob-store.ts';
import { digestOf } from '../../../src/core/values/digest.ts';
import { all, append, type BlobStoreDriver, contentOf, type OpenStore, readAll, sealed } from './driver.ts';
import { keptUnder } from './encrypted.ts';

/** For stores that encrypt by data keys: how plain and encrypted bytes, and those of several keys, live side by side. */
export function describeEncrypting(driver: BlobStoreDriver): void {
  describe(`${driver.name}: encrypting`, () => {
    let opened: OpenStore;
    let store: BlobStore;
    before(async () => {
      opened = await driver.open();
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    const content = contentOf(200_000);
    const sealedUnder = async (dataKey: Uint8Array) => {
      const id = randomUUID();
      const kept = keptUnder(store, dataKey);
      await append(kept, id, 0, content);
      const location = await kept.seal(id, digestOf(content), content.byteLength);
      assert.ok(location);
      return { kept, location };
    };

    it('gives nothing under another key', async () => {
      const { kept, location } = await sealedUnder(randomBytes(32));
      assert.ok(content.equals((await readAll(kept, location))!));
      await assert.rejects(readAll(keptUnder(store, randomBytes(32)), location));
    });

    it('refuses to read what is encrypted as plain bytes, and the reverse', async () => {
      const { kept, location } = await sealedUnder(randomBytes(32));
      await assert.rejects(readAll(store, location), TypeError);
      const plain = await sealed(store, content);
      await assert.rejects(readAll(kept, plain.location), TypeError);
      assert.ok(content.equals((await readAll(store, plain.location))!));
    });

    it('needs no key to tell sizes, to list, to forget and to delete', async () => {
      const { location } = await sealedUnder(randomBytes(32));
      assert.deepEqual(await store.stat(location), { bytes: content.byteLength });
      const listed = (await all(store.list())).filter((blob) => blob.location === location);
      assert.deepEqual(
        listed.map(({ bytes, digest }) => [bytes, digest]),
        [[content.byteLength, digestOf(content)]],
      );
      await store.delete(location);
      assert.equal(await store.stat(location), undefined);

      const id = randomUUID();
      const kept = keptUnder(store, randomBytes(32));
      await append(kept, id, 0, content.subarray(0, 100_000));
      const staged = (await all(store.staged())).filter(({ uploadId }) => uploadId === id);
      assert.deepEqual(
        staged.map(({ bytes }) => bytes),
        [100_000],
      );
      await store.discard(id);
      assert.equal(await kept.stagedBytes(id), 0);
      assert.ok(!(await all(store.staged())).some(({ uploadId }) => uploadId === id));
    });

    it('keeps plain and encrypted bytes of one digest apart', async () => {
      const dataKey = randomBytes(32);
      const plain = await sealed(store, content);
      const { kept, location } = await sealedUnder(dataKey);
      await store.delete(plain.location);
      assert.ok(content.equals((await readAll(kept, location))!));
    });
  });
}
