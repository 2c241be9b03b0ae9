import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import type { Repository } from '../../../src/core/repositories/repository-records.ts';
import type { Digest } from '../../../src/core/values/digest.ts';
import {
  addBlob,
  addImage,
  addLayer,
  addRepository,
  LAYER_TYPE,
  type MetadataStoreDriver,
  MOMENT,
  minutesLater,
  type OpenStore,
  openMigrated,
  someDigest,
} from './driver.ts';

export function describeLayers(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: layers`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    let repository: Repository;
    let repositoryId: number;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
      repository = await addRepository(store);
      repositoryId = repository.id;
    });
    after(() => opened[Symbol.asyncDispose]());

    const find = (digest: Digest) => store.read.layers.find(repositoryId, digest);
    const leaseOf = async (digest: Digest) => (await find(digest))?.leaseUntil;
    const isExpired = async (digest: Digest, now: Date) =>
      (await store.read.layers.expired(now, 1000)).some((layer) => layer.digest === digest);

    it('gives back what was inserted, with the place and size of its blob', async () => {
      const blob = await addLayer(store, repositoryId, minutesLater(5));
      const layer = {
        repositoryId,
        digest: blob.digest,
        bytes: blob.bytes,
        location: blob.location,
        blobId: blob.id,
        leaseUntil: minutesLater(5),
        referenced: false,
        dormant: false,
        offeredUntil: new Date(0),
        archived: false,
      };
      assert.deepEqual(await find(blob.digest), layer);
      assert.deepEqual(await store.read.layers.findMany(repositoryId, [someDigest(), blob.digest]), [layer]);
      assert.deepEqual(await store.read.layers.findIn(repository, blob.digest), layer);
      assert.equal(await store.read.layers.findIn({ ...repository, name: 'elsewhere' }, blob.digest), undefined);
      assert.equal(await store.read.layers.find(repositoryId + 1000, blob.digest), undefined);
      assert.equal(await find(someDigest()), undefined);
      assert.deepEqual(await store.read.layers.findMany(repositoryId, []), []);
    });

    it('may bear another digest than its blob does', async () => {
      const blob = await addBlob(store);
      const digest: Digest = `sha512:${'ab'.repeat(64)}`;
      await store.transaction('alone', ({ layers }) =>
        layers.insert({ repositoryId, digest, blobId: blob.id, leaseUntil: MOMENT }),
      );
      assert.equal((await find(digest))?.location, blob.location);
    });

    it('keeps the layer a repository has, and only prolongs its lease', async () => {
      const blob = await addLayer(store, repositoryId, minutesLater(5));
      const another = await addBlob(store);
      const again = (minutes: number) =>
        store.transaction('alone', ({ layers }) =>
          layers.insert({
            repositoryId,
            digest: blob.digest,
            blobId: another.id,
            leaseUntil: minutesLater(minutes),
          }),
        );
      assert.equal(await again(4), false);
      assert.deepEqual(await leaseOf(blob.digest), minutesLater(5));
      assert.equal(await again(6), false);
      assert.deepEqual(await leaseOf(blob.digest), minutesLater(6));
      assert.equal((await find(blob.digest))?.blobId, blob.id);
      assert.ok((await store.read.blobs.unreferenced(1000)).some(({ id }) => id === another.id));
    });

    it('is referenced, with a media type, while an image of its repository uses it', async () => {
      const { digest } = await addLayer(store, repositoryId);
      const elsewhere = (await addRepository(store)).id;
      await addImage(store, elsewhere, { layers: [digest] });
      assert.equal((await find(digest))?.referenced, false);
      const [one, other] = [
        await addImage(store, repositoryId, { layers: [digest] }),
        await addImage(store, repositoryId, { layers: [digest, someDigest()] }),
      ];
      const used = await find(digest);
      assert.deepEqual([used?.referenced, used?.mediaType], [true, LAYER_TYPE]);
      await store.transaction('alone', ({ images }) => images.delete(one, MOMENT));
      assert.equal((await find(digest))?.referenced, true);
      await store.transaction('alone', ({ images }) => images.delete(other, minutesLater(9)));
      const unused = (await find(digest))!;
      assert.deepEqual([unused.referenced, unused.leaseUntil], [false, minutesLater(9)]);
      assert.ok(!('mediaType' in unused));
    });

    it('is referenced from the start when the image came first', async () => {
      const blob = await addBlob(store);
      const image = await addImage(store, repositoryId, { layers: [blob.digest] });
      await store.transaction('alone', ({ layers }) =>
        layers.insert({ repositoryId, digest: blob.digest, blobId: blob.id, leaseUntil: MOMENT }),
      );
      assert.equal((await find(blob.digest))?.referenced, true);
      await store.transaction('alone', ({ images }) => images.delete(image, MOMENT));
      assert.equal((await find(blob.digest))?.referenced, false);
    });

    it('leases the layers of a deleted image at least as long as told, those that another image uses too', async () => {
      const [long, short] = [
        await addLayer(store, repositoryId, minutesLater(60)),
        await addLayer(store, repositoryId),
      ];
      const layers = [long.digest, short.digest];
      const image = await addImage(store, repositoryId, { layers });
      const other = await addImage(store, repositoryId, { layers: [short.digest] });
      await store.transaction('alone', ({ images }) => images.delete(image, minutesLater(30)));
      assert.deepEqual([await leaseOf(long.digest), await leaseOf(short.digest)], [minutesLater(60), minutesLater(30)]);
      assert.deepEqual([(await find(long.digest))?.referenced, (await find(short.digest))?.referenced], [false, true]);
      await store.transaction('alone', ({ images }) => images.delete(other, minutesLater(20)));
      assert.deepEqual(await leaseOf(short.digest), minutesLater(30));
      assert.equal((await find(short.digest))?.referenced, false);
    });

    it('expires when unused and its lease ended before now', async () => {
      const { digest } = await addLayer(store, repositoryId, minutesLater(1));
      assert.ok(!(await isExpired(digest, minutesLater(1))));
      assert.ok(await isExpired(digest, new Date(minutesLater(1).getTime() + 1)));
      const image = await addImage(store, repositoryId, { layers: [digest] });
      assert.ok(!(await isExpired(digest, minutesLater(100))));
      await store.transaction('alone', ({ images }) => images.delete(image, minutesLater(50)));
      assert.ok(!(await isExpired(digest, minutesLater(50))));
      assert.ok(await isExpired(digest, minutesLater(51)));
      const expired = await store.read.layers.expired(minutesLater(51), 1);
      assert.equal(expired.length, 1);
      assert.deepEqual(Object.keys(expired[0]!).sort(), ['digest', 'repositoryId']);
    });

    it('renews the leases of those unused, here alone', async () => {
      const [unused, used] = [await addLayer(store, repositoryId), await addLayer(store, repositoryId)];
      await addImage(store, repositoryId, { layers: [used.digest] });
      const elsewhere = (await addRepository(store)).id;
      await store.transaction('alone', async ({ layers }) => {
        const { digest, id: blobId } = unused;
        await layers.insert({ repositoryId: elsewhere, digest, blobId, leaseUntil: MOMENT });
        await layers.renewLeases(repositoryId, [unused.digest, used.digest, someDigest()], minutesLater(3));
        await layers.renewLeases(repositoryId, [], minutesLater(4));
      });
      assert.deepEqual(await leaseOf(unused.digest), minutesLater(3));
      assert.deepEqual(await leaseOf(used.digest), MOMENT);
      assert.deepEqual((await store.read.layers.find(elsewhere, unused.digest))?.leaseUntil, MOMENT);
      await store.transaction('alone', ({ layers }) =>
        layers.renewLeases(repositoryId, [unused.digest], minutesLater(2)),
      );
      assert.deepEqual(await leaseOf(unused.digest), minutesLater(3));
    });

    it('is deleted only while unused, and as expired only while its lease is over', async () => {
      const { digest } = await addLayer(store, repositoryId, minutesLater(1));
      const image = await addImage(store, repositoryId, { layers: [digest] });
      const deleteUnused = () => store.transaction('alone', ({ layers }) => layers.deleteUnused(repositoryId, digest));
      const deleteExpired = (now: Date) =>
        store.transaction('alone', ({ layers }) => layers.deleteExpired(repositoryId, digest, now));
      assert.equal(await deleteUnused(), false);
      assert.equal(await deleteExpired(minutesLater(100)), false);
      await store.transaction('alone', ({ images }) => images.delete(image, minutesLater(5)));
      assert.equal(await deleteExpired(minutesLater(5)), false);
      assert.equal(await deleteExpired(minutesLater(6)), true);
      assert.equal(await deleteExpired(minutesLater(6)), false);
      assert.equal(await deleteUnused(), false);
      const another = await addLayer(store, repositoryId, minutesLater(100));
      assert.equal(
        await store.transaction('alone', ({ layers }) => layers.deleteUnused(repositoryId, another.digest)),
        true,
      );
      assert.equal(await find(another.digest), undefined);
    });

    it('finds a thousand at once', async () => {
      const { id } = await addRepository(store);
      const digests = Array.from({ length: 1000 }, someDigest);
      await store.transaction('alone', async ({ blobs, layers }) => {
        for (const digest of digests) {
          const location = `many/${digest}`;
          const blob = await blobs.insert({ scope: 'many', digest, location, bytes: 1, createdAt: MOMENT });
          await layers.insert({ repositoryId: id, digest, blobId: blob!.id, leaseUntil: MOMENT });
        }
      });
      const found = await store.read.layers.findMany(id, digests);
      assert.deepEqual(found.map(({ digest }) => digest).sort(), digests.sort());
    });
  });
}
