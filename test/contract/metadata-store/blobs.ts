import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import {
  addBlob,
  addLayer,
  addRepository,
  type MetadataStoreDriver,
  MOMENT,
  minutesLater,
  type OpenStore,
  openMigrated,
  someDigest,
} from './driver.ts';

export function describeBlobs(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: blobs`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    it('gives back what was inserted, under its scope and digest', async () => {
      const blob = await addBlob(store, { bytes: 52_000_000_000, scope: '1/é' });
      assert.deepEqual(await store.read.blobs.find('1/é', blob.digest), blob);
      assert.equal(await store.read.blobs.find('other', blob.digest), undefined);
      assert.equal(await store.read.blobs.hasLocation(blob.location), true);
      assert.equal(await store.read.blobs.hasLocation('nowhere'), false);
    });

    it('refuses a second of the same digest in a scope, and only there', async () => {
      const { id, ...blob } = await addBlob(store);
      const insert = (changes: object) =>
        store.transaction('alone', ({ blobs }) =>
          blobs.insert({ ...blob, location: `${blob.location}-2`, ...changes }),
        );
      assert.equal(await insert({}), undefined);
      assert.notEqual((await insert({ scope: 'another' }))?.id, id);
    });

    it('never lets two blobs share a location', async () => {
      const { location } = await addBlob(store);
      await assert.rejects(addBlob(store, { location }));
    });

    it('pages in the order of ids', async () => {
      const before = (await store.read.blobs.page(0, 1000)).at(-1)?.id ?? 0;
      const added = [await addBlob(store), await addBlob(store), await addBlob(store)];
      assert.deepEqual(await store.read.blobs.page(before, 2), added.slice(0, 2));
      assert.deepEqual(await store.read.blobs.page(added[1]!.id, 2), added.slice(2));
      assert.deepEqual(await store.read.blobs.page(added[2]!.id, 2), []);
    });

    it('knows whether any is under a master key, and takes no other key for one', async () => {
      const under = (keyId: string) =>
        addBlob(store, { protection: { kind: 'data-key', keyId, wrapped: '', context: { uploadId: 'master-key/1' } } });
      await under('arn:aws:kms:us-east-1:000000000000:key/master-key');
      assert.equal(await store.read.blobs.anyUnderMasterKey(), false);
      await under('master-key/0123456789abcdef');
      assert.equal(await store.read.blobs.anyUnderMasterKey(), true);
    });

    it('lets a blob have other bytes than those at a location, and only there', async () => {
      const blob = await addBlob(store, { protection: { kind: 'data-key', keyId: 'one', wrapped: '', context: {} } });
      const other = await addBlob(store);
      const protection = { kind: 'data-key', keyId: 'two', wrapped: 'w', context: { a: 'b' } } as const;
      const replace = (from: string, changes: Pick<typeof blob, 'location' | 'protection'>) =>
        store.transaction('alone', ({ blobs }) => blobs.replaceBytes(blob.id, from, { ...changes, createdAt: MOMENT }));
      const location = `${blob.location}-2`;
      assert.equal(await replace('elsewhere', { location, protection }), false);
      assert.deepEqual(await store.read.blobs.find(blob.scope, blob.digest), blob);
      assert.equal(await replace(blob.location, { location, protection }), true);
      const replaced = { ...blob, location, protection, createdAt: MOMENT };
      assert.deepEqual(await store.read.blobs.find(blob.scope, blob.digest), replaced);
      assert.equal(await store.read.blobs.hasLocation(blob.location), false);
      assert.equal(await replace(location, { location: blob.location }), true);
      const { protection: _, ...plain } = { ...replaced, location: blob.location };
      assert.deepEqual(await store.read.blobs.find(blob.scope, blob.digest), plain);
      assert.deepEqual(await store.read.blobs.find(other.scope, other.digest), other);
    });

    it('knows the repositories that have a layer of one', async () => {
      const names = ['with/b', 'with/c', 'with/a'];
      const blob = await addBlob(store);
      assert.deepEqual(await store.read.blobs.repositoriesWith(blob.id, 10), []);
      await addLayer(store, (await addRepository(store)).id);
      let deleted = 0;
      for (const name of names) {
        const { id: repositoryId } = await addRepository(store, { name });
        if (name === 'with/c') deleted = repositoryId;
        const layer = { repositoryId, digest: blob.digest, blobId: blob.id, leaseUntil: MOMENT };
        await store.transaction('alone', ({ layers }) => layers.insert(layer));
      }
      const found = async (limit: number) => (await store.read.blobs.repositoriesWith(blob.id, limit)).toSorted();
      assert.deepEqual(await found(10), names.toSorted());
      assert.equal((await found(2)).length, 2);
      await store.transaction('alone', ({ repositories }) => repositories.retire(deleted));
      assert.deepEqual(await found(10), ['with/a', 'with/b']);
    });

    it('knows which no layer points at, and deletes those alone', async () => {
      const [one, other] = [await addRepository(store), await addRepository(store)];
      const blob = await addBlob(store);
      const isUnreferenced = async () => (await store.read.blobs.unreferenced(1000)).some(({ id }) => id === blob.id);
      const deleteBlob = () => store.transaction('alone', ({ blobs }) => blobs.deleteUnreferenced(blob.id));
      const layerIn = (repositoryId: number) => ({
        repositoryId,
        digest: blob.digest,
        blobId: blob.id,
        leaseUntil: MOMENT,
      });
      assert.ok(await isUnreferenced());
      for (const { id } of [one, other]) await store.transaction('alone', ({ layers }) => layers.insert(layerIn(id)));
      assert.ok(!(await isUnreferenced()));
      assert.equal(await deleteBlob(), false);
      assert.ok(await store.transaction('alone', ({ layers }) => layers.deleteUnused(one.id, blob.digest)));
      assert.ok(!(await isUnreferenced()));
      assert.equal(await deleteBlob(), false);
      assert.ok(
        await store.transaction('alone', ({ layers }) => layers.deleteExpired(other.id, blob.digest, minutesLater(1))),
      );
      assert.ok(await isUnreferenced());
      assert.equal(await deleteBlob(), true);
      assert.equal(await deleteBlob(), false);
      assert.equal(await store.read.blobs.find(blob.scope, blob.digest), undefined);
      assert.equal(await store.read.blobs.hasLocation(blob.location), false);
    });

    it('counts a blob as referenced again once a layer points at it again', async () => {
      const { id: repositoryId } = await addRepository(store);
      const blob = await addLayer(store, repositoryId);
      await store.transaction('alone', async ({ layers }) => {
        await layers.deleteUnused(repositoryId, blob.digest);
        await layers.insert({ repositoryId, digest: blob.digest, blobId: blob.id, leaseUntil: MOMENT });
      });
      assert.ok(!(await store.read.blobs.unreferenced(1000)).some(({ id }) => id === blob.id));
    });

    it('lists the unreferenced in the order of ids, no more than asked for', async () => {
      const added = [await addBlob(store), await addBlob(store)];
      const unreferenced = await store.read.blobs.unreferenced(1000);
      assert.deepEqual(unreferenced.slice(-2), added);
      assert.deepEqual(
        unreferenced,
        unreferenced.toSorted((one, other) => one.id - other.id),
      );
      assert.deepEqual(await store.read.blobs.unreferenced(2), unreferenced.slice(0, 2));
    });

    it('does not know a digest nobody inserted', async () => {
      assert.equal(await store.read.blobs.find('scope', someDigest()), undefined);
    });
  });
}
