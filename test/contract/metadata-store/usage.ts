import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OCI_INDEX } from '../../../src/core/values/media-type.ts';
import {
  addBlob,
  addImage,
  addLayer,
  addRepository,
  type MetadataStoreDriver,
  MOMENT,
  newUpload,
  openMigrated,
  REGISTRY,
} from './driver.ts';

const NOTHING = {
  images: 0,
  archivedImages: 0,
  tags: 0,
  tagsOfImageMax: 0,
  logicalBytes: 0,
  archivedLogicalBytes: 0,
  storedBytes: 0,
  archivedStoredBytes: 0,
  layerBytesMax: 0,
  layerPartsMax: 0,
};

export function describeUsage(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: usage`, () => {
    it('counts what one repository holds', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const { id } = await addRepository(store);
      const other = await addRepository(store);
      assert.deepEqual(await store.read.usage.ofRepository(id), NOTHING);
      await addLayer(store, id);
      const large = await addBlob(store, { bytes: 5000 });
      for (const repositoryId of [id, other.id]) {
        const layer = { repositoryId, digest: large.digest, blobId: large.id, leaseUntil: MOMENT };
        await store.transaction('alone', ({ layers }) => layers.insert(layer));
      }
      const first = await addImage(store, id, { imageBytes: 10, tags: ['a', 'b', 'c'] });
      await addImage(store, id, { imageBytes: 100, tags: ['d'] });
      await addImage(store, id, { imageBytes: 10, mediaType: OCI_INDEX, children: [first.digest] });
      await addImage(store, other.id, { tags: ['e'] });
      await store.transaction('alone', async ({ images, uploads }) => {
        await images.setStatus(first.id, { status: 'ARCHIVED', archivedAt: MOMENT });
        for (const parts of [3, 7, 2]) await uploads.insert(newUpload(id, { parts }));
      });
      assert.deepEqual(await store.read.usage.ofRepository(id), {
        images: 3,
        archivedImages: 1,
        tags: 4,
        tagsOfImageMax: 3,
        logicalBytes: 110,
        archivedLogicalBytes: 10,
        storedBytes: 6234,
        archivedStoredBytes: 0,
        layerBytesMax: 5000,
        layerPartsMax: 7,
      });
      assert.equal(await store.read.usage.countImages(id), 3);
      assert.equal(await store.read.usage.countImages(other.id), 1);
    });

    it('counts what a registry holds, bytes that repositories share once', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const elsewhere = { ...REGISTRY, region: 'eu-west-1' };
      assert.deepEqual(await store.read.usage.registries(), []);
      assert.deepEqual(await store.read.usage.stored(REGISTRY), { blobs: 0, storedBytes: 0, archivedStoredBytes: 0 });
      const repositories = [await addRepository(store), await addRepository(store)];
      const far = await addRepository(store, { registry: elsewhere });
      const shared = await addBlob(store, { bytes: 7 });
      for (const { id: repositoryId } of repositories) {
        const layer = { repositoryId, digest: shared.digest, blobId: shared.id, leaseUntil: MOMENT };
        await store.transaction('alone', ({ layers }) => layers.insert(layer));
      }
      await addLayer(store, repositories[0]!.id);
      await addLayer(store, far.id);
      await addBlob(store, { bytes: 100_000 });
      const { usage } = store.read;
      assert.deepEqual(await usage.stored(REGISTRY), { blobs: 2, storedBytes: 1241, archivedStoredBytes: 0 });
      assert.deepEqual(await usage.stored(elsewhere), { blobs: 1, storedBytes: 1234, archivedStoredBytes: 0 });
      assert.equal(await usage.countRepositories(REGISTRY), 2);
      assert.deepEqual(await usage.registries(), [elsewhere, REGISTRY]);
      await store.transaction('alone', (records) => records.repositories.retire(far.id));
      assert.equal(await usage.countRepositories(elsewhere), 0);
      assert.deepEqual(await usage.registries(), [REGISTRY]);
    });
  });
}
