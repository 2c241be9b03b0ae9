import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { BlobStore } from '../../../src/core/blob-store.ts';
import { digestOf } from '../../../src/core/values/digest.ts';
import { all, append, type BlobStoreDriver, contentOf, type OpenStore, readAll, sealed, sha512Of } from './driver.ts';

export function describeSealing(driver: BlobStoreDriver): void {
  describe(`${driver.name}: sealing`, () => {
    let opened: OpenStore;
    let store: BlobStore;
    before(async () => {
      opened = await driver.open();
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    for (const size of [1, 5000, 256 * 1024, 3_000_000]) {
      it(`turns ${size} staged bytes into a blob`, async () => {
        const content = contentOf(size);
        const { uploadId, location, digest } = await sealed(store, content);
        assert.deepEqual(await store.stat(location), { bytes: size });
        assert.ok(content.equals((await readAll(store, location))!));
        assert.equal(await store.stagedBytes(uploadId), 0);
        assert.ok(!(await all(store.staged())).some((upload) => upload.uploadId === uploadId));
        const listed = (await all(store.list())).filter((blob) => blob.location === location);
        assert.deepEqual(
          listed.map(({ digest, bytes, uploadId }) => ({ digest, bytes, uploadId })),
          [{ digest, bytes: size, uploadId }],
        );
        assert.ok(Math.abs(Date.now() - listed[0]!.sealedAt.getTime()) < 60_000);
      });
    }

    it('hides staged bytes from readers', async () => {
      const id = randomUUID();
      const content = contentOf(100);
      await append(store, id, 0, content, { durable: true });
      assert.ok(!(await all(store.list())).some((blob) => blob.digest === digestOf(content)));
    });

    it('seals an upload that never received a byte as an empty blob', async () => {
      const id = randomUUID();
      const digest = digestOf(new Uint8Array());
      const location = await store.seal(id, digest, 0);
      assert.deepEqual(await store.stat(location!), { bytes: 0 });
      assert.equal((await readAll(store, location!))!.byteLength, 0);
      assert.equal(await store.seal(id, digest, 0), location);
    });

    it('seals an upload cut back to nothing', async () => {
      const id = randomUUID();
      await append(store, id, 0, contentOf(10));
      await store.truncate(id, 0);
      const location = await store.seal(id, digestOf(new Uint8Array()), 0);
      assert.deepEqual(await store.stat(location!), { bytes: 0 });
    });

    it('does nothing when other than the given number of bytes is staged', async () => {
      const id = randomUUID();
      const content = contentOf(1000);
      await append(store, id, 0, content);
      for (const bytes of [0, 999, 1001]) assert.equal(await store.seal(id, digestOf(content), bytes), undefined);
      assert.equal(await store.seal(randomUUID(), digestOf(content), 1000), undefined);
      assert.equal(await store.stagedBytes(id), 1000);
      assert.equal(await store.digest(id, 'sha256'), digestOf(content));
      assert.ok(await store.seal(id, digestOf(content), 1000));
    });

    it('finds what it has sealed when asked again', async () => {
      const content = contentOf(4000);
      const { uploadId, location, digest } = await sealed(store, content);
      assert.equal(await store.seal(uploadId, digest, 4000), location);
      assert.equal(await store.seal(uploadId, digest, 3999), undefined);
      assert.equal(await store.seal(uploadId, digestOf(contentOf(4000)), 4000), undefined);
      assert.equal(await store.seal(randomUUID(), digest, 4000), undefined);
      if (opened.reopen === undefined) return;
      await using other = await opened.reopen();
      assert.equal(await other.seal(uploadId, digest, 4000), location);
      assert.ok(content.equals((await readAll(other, location))!));
    });

    it('seals what another instance staged', async (test) => {
      if (opened.reopen === undefined) return test.skip('nothing outlives this store');
      const id = randomUUID();
      const content = contentOf(700_000);
      await append(store, id, 0, content, { durable: true });
      await using other = await opened.reopen();
      const location = await other.seal(id, digestOf(content), content.byteLength);
      assert.ok(content.equals((await readAll(store, location!))!));
    });

    it('seals under sha512 too', async () => {
      const id = randomUUID();
      const content = contentOf(300);
      await append(store, id, 0, content);
      const location = await store.seal(id, sha512Of(content), 300);
      assert.ok(content.equals((await readAll(store, location!))!));
      assert.ok(
        (await all(store.list())).some((blob) => blob.location === location && blob.digest === sha512Of(content)),
      );
    });

    it('gives two uploads of the same bytes two locations, and deletes one without the other', async () => {
      const content = contentOf(2000);
      const one = await sealed(store, content);
      const two = await sealed(store, content);
      assert.notEqual(one.location, two.location);
      await store.delete(one.location);
      await store.delete(one.location);
      assert.equal(await store.stat(one.location), undefined);
      assert.equal(await store.read(one.location), undefined);
      assert.ok(content.equals((await readAll(store, two.location))!));
      const listed = (await all(store.list())).filter((blob) => blob.digest === one.digest);
      assert.deepEqual(
        listed.map((blob) => blob.location),
        [two.location],
      );
    });

    it('seals many at a time', async () => {
      const contents = Array.from({ length: 40 }, (_, index) => contentOf(100 + index));
      const blobs = await Promise.all(contents.map((content) => sealed(store, content)));
      for (const [index, { location }] of blobs.entries()) {
        assert.ok(contents[index]!.equals((await readAll(store, location))!));
      }
    });

    it('says it is ready, many at a time, and leaves nothing behind', async () => {
      const stagedBefore = (await all(store.staged())).length;
      await Promise.all(Array.from({ length: 8 }, () => store.ready()));
      assert.equal((await all(store.staged())).length, stagedBefore);
    });
  });
}
