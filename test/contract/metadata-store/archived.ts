import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Image, ImageStatus } from '../../../src/core/images/image-records.ts';
import type { Blob } from '../../../src/core/layers/layer-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import type { Digest } from '../../../src/core/values/digest.ts';
import {
  addBlob,
  addImage,
  addLayer,
  addRepository,
  type MetadataStoreDriver,
  MOMENT,
  minutesLater,
  type OpenStore,
  openMigrated,
} from './driver.ts';

/** What archiving asks of blobs, layers and images. */
export function describeArchived(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: archived`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    let repositoryId: number;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());
    beforeEach(async () => {
      repositoryId = (await addRepository(store)).id;
    });

    const setStatus = (image: Image, status: ImageStatus) =>
      store.transaction('alone', ({ images }) => images.setStatus(image.id, { status }));
    const layerOf = async (digest: Digest) => (await store.read.layers.find(repositoryId, digest))!;
    const mark = (image: Image, now = MOMENT) =>
      store.transaction('alone', ({ blobs }) => blobs.markArchived(image.id, now));
    const archivedOf = async (image: Image, limit = 100) =>
      (await store.read.blobs.archivedOf(image.id, limit)).map(({ id }) => id);
    const addArchived = async (layers: readonly Blob[]) => {
      const image = await addImage(store, repositoryId, { layers: layers.map(({ digest }) => digest) });
      await setStatus(image, 'ARCHIVED');
      return image;
    };
    /** Puts a layer of a blob into another repository. */
    const share = async ({ id, digest }: Blob) => {
      const other = (await addRepository(store)).id;
      await store.transaction('alone', ({ layers }) =>
        layers.insert({ repositoryId: other, digest, blobId: id, leaseUntil: MOMENT }),
      );
      return other;
    };

    it('a layer is dormant while images use it and none of them is active', async () => {
      const { digest } = await addLayer(store, repositoryId);
      assert.equal((await layerOf(digest)).dormant, false);
      const one = await addImage(store, repositoryId, { layers: [digest] });
      const other = await addImage(store, repositoryId, { layers: [digest] });
      await setStatus(one, 'ARCHIVED');
      assert.equal((await layerOf(digest)).dormant, false);
      await setStatus(other, 'ACTIVATING');
      assert.equal((await layerOf(digest)).dormant, true);
      const elsewhere = await addRepository(store);
      await addImage(store, elsewhere.id, { layers: [digest] });
      assert.deepEqual(
        (await store.read.layers.findMany(repositoryId, [digest])).map(({ dormant }) => dormant),
        [true],
      );
      await setStatus(one, 'ACTIVE');
      assert.equal((await layerOf(digest)).dormant, false);
    });

    it('a layer is offered from when it is inserted again until it is withdrawn', async () => {
      const blob = await addLayer(store, repositoryId, minutesLater(50));
      const image = await addImage(store, repositoryId, { layers: [blob.digest] });
      const again = { repositoryId, digest: blob.digest, blobId: blob.id, leaseUntil: minutesLater(9) };
      await store.transaction('alone', ({ layers }) => layers.insert(again));
      const offered = await layerOf(blob.digest);
      assert.deepEqual([offered.offeredUntil, offered.leaseUntil], [minutesLater(9), minutesLater(50)]);
      await store.transaction('alone', ({ layers }) => layers.withdraw(image));
      const withdrawn = await layerOf(blob.digest);
      assert.deepEqual([withdrawn.offeredUntil, withdrawn.leaseUntil], [new Date(0), minutesLater(50)]);
    });

    it('marks the blobs of an image, once, and takes marks off', async () => {
      const blobs = [await addLayer(store, repositoryId), await addLayer(store, repositoryId)];
      const [first, second] = blobs.map(({ id }) => id) as [number, number];
      const image = await addArchived(blobs);
      assert.deepEqual(await archivedOf(image), []);
      await mark(image);
      await mark(image);
      assert.deepEqual(await archivedOf(image), [first, second]);
      assert.deepEqual(await archivedOf(image, 1), [first]);
      assert.deepEqual(await store.read.blobs.archivedOf(image.id, 1), [blobs[0]]);
      assert.equal((await layerOf(blobs[0]!.digest)).archived, true);
      await store.transaction('alone', (records) => records.blobs.unmarkArchived(first));
      assert.deepEqual(await archivedOf(image), [second]);
      assert.deepEqual(
        [await store.read.blobs.isArchived(first), await store.read.blobs.isArchived(second)],
        [false, true],
      );
      assert.equal(await store.read.blobs.isArchived(1_000_000), false);
      const all = await store.read.blobs.archived(first, 100);
      assert.ok(all.some(({ id }) => id === second) && !all.some(({ id }) => id === first));
      assert.deepEqual(await store.read.blobs.archived(second, 100), []);
    });

    it('marks no blob that another image uses and that is not archived', async () => {
      const blob = await addLayer(store, repositoryId);
      const image = await addArchived([blob]);
      const other = await addImage(store, repositoryId, { layers: [blob.digest] });
      for (const status of ['ACTIVE', 'ACTIVATING'] as const) {
        await setStatus(other, status);
        await mark(image);
        assert.deepEqual(await archivedOf(image), [], status);
      }
      await setStatus(other, 'ARCHIVED');
      await mark(image);
      assert.deepEqual(await archivedOf(image), [blob.id]);
    });

    it('marks no blob that another repository needs', async () => {
      const [used, unused, dormant] = [
        await addLayer(store, repositoryId),
        await addLayer(store, repositoryId),
        await addLayer(store, repositoryId),
      ];
      const image = await addArchived([used, unused, dormant]);
      await addImage(store, await share(used), { layers: [used.digest] });
      await share(unused);
      await setStatus(await addImage(store, await share(dormant), { layers: [dormant.digest] }), 'ARCHIVED');
      await mark(image);
      assert.deepEqual(await archivedOf(image), [dormant.id]);
    });

    it('marks no blob that is offered still', async () => {
      const blob = await addLayer(store, repositoryId);
      const image = await addArchived([blob]);
      const again = { repositoryId, digest: blob.digest, blobId: blob.id, leaseUntil: minutesLater(9) };
      await store.transaction('alone', ({ layers }) => layers.insert(again));
      await mark(image, minutesLater(8));
      assert.deepEqual(await archivedOf(image), []);
      await mark(image, minutesLater(9));
      assert.deepEqual(await archivedOf(image), [blob.id]);
    });

    it('marks nothing for another image, and no blob without a layer', async () => {
      const blob = await addLayer(store, repositoryId);
      await addArchived([blob]);
      const other = await addArchived([await addBlob(store)]);
      await mark(other);
      assert.deepEqual(await archivedOf(other), []);
      assert.equal(await store.read.blobs.isArchived(blob.id), false);
    });

    it('keeps the times that come with a status until others do', async () => {
      const image = await addImage(store, repositoryId);
      const set = (change: { status: ImageStatus; archivedAt?: Date; activatedAt?: Date }) =>
        store.transaction('alone', ({ images }) => images.setStatus(image.id, change));
      const found = async () => {
        const { status, archivedAt, activatedAt } = (await store.read.images.find(repositoryId, image.digest))!;
        return [status, archivedAt, activatedAt];
      };
      assert.deepEqual(await found(), ['ACTIVE', undefined, undefined]);
      await set({ status: 'ARCHIVED', archivedAt: minutesLater(1) });
      await set({ status: 'ACTIVATING' });
      assert.deepEqual(await found(), ['ACTIVATING', minutesLater(1), undefined]);
      await set({ status: 'ACTIVE', activatedAt: minutesLater(2) });
      assert.deepEqual(await found(), ['ACTIVE', minutesLater(1), minutesLater(2)]);
      await set({ status: 'ARCHIVED', archivedAt: minutesLater(3) });
      assert.deepEqual(await found(), ['ARCHIVED', minutesLater(3), minutesLater(2)]);
      assert.equal((await store.read.images.manifest(repositoryId, image.digest))?.status, 'ARCHIVED');
    });

    it('gives the children of an index that are there', async () => {
      const children = [await addImage(store, repositoryId), await addImage(store, repositoryId)];
      const digests = children.map(({ digest }) => digest).toSorted();
      const index = await addImage(store, repositoryId, { children: digests });
      const found = await store.read.images.childrenOf(index.id);
      assert.deepEqual(
        found.map(({ digest }) => digest),
        digests,
      );
      assert.deepEqual(await store.read.images.childrenOf(children[0]!.id), []);
    });
  });
}
