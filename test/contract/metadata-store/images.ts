import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Image } from '../../../src/core/images/image-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import type { Repository } from '../../../src/core/repositories/repository-records.ts';
import {
  addImage,
  addLayer,
  addRepository,
  LAYER_TYPE,
  MANIFEST_TYPE,
  type MetadataStoreDriver,
  MOMENT,
  minutesLater,
  type OpenStore,
  openMigrated,
  REGISTRY,
  someDigest,
} from './driver.ts';

export function describeImages(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: images`, () => {
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

    const tag = (name: string, image: Image) =>
      store.transaction('alone', ({ images }) => images.tag(repositoryId, name, image.id, MOMENT));

    it('gives back what was inserted, to its repository alone', async () => {
      const full = {
        artifactType: 'application/vnd.example+json',
        subjectDigest: someDigest(),
        annotations: { 'org.example/key': 'wörd "q"', empty: '' },
        imageBytes: 52_000_000_000,
      };
      for (const image of [await addImage(store, repositoryId), await addImage(store, repositoryId, full)]) {
        const found = await store.read.images.find(repositoryId, image.digest);
        assert.deepEqual(found, image);
        assert.deepEqual(Object.keys(found).sort(), Object.keys(image).sort());
        assert.equal(await store.read.images.find(repositoryId + 1000, image.digest), undefined);
      }
      assert.equal(await store.read.images.find(repositoryId, someDigest()), undefined);
    });

    it('keeps the manifest byte for byte, found by digest and by tag', async () => {
      const digest = someDigest();
      const bytes = new Uint8Array([0, 255, 10, 13, 200, ...Buffer.from('{"é": 1}')]);
      const image = await store.transaction('alone', ({ images }) =>
        images.insert(
          {
            repositoryId,
            digest,
            mediaType: MANIFEST_TYPE,
            manifestBytes: bytes.byteLength,
            imageBytes: 1,
            pushedAt: MOMENT,
          },
          bytes,
          [],
          [],
        ),
      );
      await tag('bytes', image!);
      const stored = { digest, mediaType: MANIFEST_TYPE, status: 'ACTIVE', bytes };
      assert.deepEqual(await store.read.images.manifest(repositoryId, digest), stored);
      assert.deepEqual(await store.read.images.manifestIn(repository, { digest }), stored);
      assert.deepEqual(await store.read.images.manifestIn(repository, { tag: 'bytes' }), stored);
      assert.equal(await store.read.images.manifest(repositoryId + 1000, digest), undefined);
      for (const elsewhere of [
        { ...repository, name: 'elsewhere' },
        { ...repository, registry: { ...REGISTRY, region: 'eu-west-1' } },
      ]) {
        assert.equal(await store.read.images.manifestIn(elsewhere, { digest }), undefined);
        assert.equal(await store.read.images.manifestIn(elsewhere, { tag: 'bytes' }), undefined);
      }
      assert.equal(await store.read.images.manifestIn(repository, { tag: 'BYTES' }), undefined);
    });

    it('refuses a second of the same digest in a repository and keeps the first whole', async () => {
      const image = await addImage(store, repositoryId, { tags: ['first'] });
      const { id, ...again } = image;
      const layers = [{ digest: someDigest(), mediaType: LAYER_TYPE }];
      const second = await store.transaction('alone', ({ images }) =>
        images.insert({ ...again, mediaType: 'other' }, new Uint8Array(1), layers, [someDigest()]),
      );
      assert.equal(second, undefined);
      assert.deepEqual(await store.read.images.findByTag(repositoryId, 'first'), image);
      assert.equal((await store.read.images.manifest(repositoryId, image.digest))?.mediaType, MANIFEST_TYPE);
      const elsewhere = await addImage(store, (await addRepository(store)).id, { digest: image.digest });
      assert.notEqual(elsewhere.id, id);
    });

    it('moves a tag from one image to the other', async () => {
      const [one, other] = [await addImage(store, repositoryId), await addImage(store, repositoryId)];
      await tag('moving', one);
      await tag('moving', one);
      assert.deepEqual(await store.read.images.findByTag(repositoryId, 'moving'), one);
      await tag('moving', other);
      assert.deepEqual(await store.read.images.findByTag(repositoryId, 'moving'), other);
      assert.deepEqual(
        [await store.read.images.countTags(one.id), await store.read.images.countTags(other.id)],
        [0, 1],
      );
    });

    it('takes a tag off and leaves the image', async () => {
      const image = await addImage(store, repositoryId, { tags: ['off', 'on'] });
      const untag = () => store.transaction('alone', ({ images }) => images.untag(repositoryId, 'off'));
      assert.equal(await untag(), true);
      assert.equal(await untag(), false);
      assert.equal(await store.read.images.findByTag(repositoryId, 'off'), undefined);
      assert.deepEqual(await store.read.images.findByTag(repositoryId, 'on'), image);
      assert.equal(await store.read.images.countTags(image.id), 1);
    });

    it('deletes an image with its tags, manifest and children', async () => {
      const child = someDigest();
      const stays = await addImage(store, repositoryId, { tags: ['stays'], children: [child] });
      const image = await addImage(store, repositoryId, { tags: ['b', 'B', 'a.1', 'a-1', '_'], children: [child] });
      const remove = () => store.transaction('alone', ({ images }) => images.delete(image, MOMENT));
      assert.deepEqual(await store.read.images.tagsOf(image.id), ['B', '_', 'a-1', 'a.1', 'b']);
      await remove();
      assert.deepEqual(await store.read.images.tagsOf(image.id), []);
      assert.equal(await store.read.images.find(repositoryId, image.digest), undefined);
      assert.equal(await store.read.images.manifest(repositoryId, image.digest), undefined);
      assert.equal(await store.read.images.findByTag(repositoryId, 'a-1'), undefined);
      assert.deepEqual(await store.read.images.indexesOf(repositoryId, child), [stays.digest]);
      assert.deepEqual(await store.read.images.findByTag(repositoryId, 'stays'), stays);
      await remove();
    });

    it('starts no lease a second time when an image is deleted again', async () => {
      const { digest } = await addLayer(store, repositoryId);
      const image = await addImage(store, repositoryId, { layers: [digest] });
      for (const minutes of [5, 50]) {
        await store.transaction('alone', ({ images }) => images.delete(image, minutesLater(minutes)));
      }
      assert.deepEqual((await store.read.layers.find(repositoryId, digest))?.leaseUntil, minutesLater(5));
    });

    it('knows whether a repository has any', async () => {
      const { id } = await addRepository(store);
      assert.equal(await store.read.images.hasAny(id), false);
      const image = await addImage(store, id);
      assert.equal(await store.read.images.hasAny(id), true);
      await store.transaction('alone', ({ images }) => images.delete(image, MOMENT));
      assert.equal(await store.read.images.hasAny(id), false);
    });

    it('takes images of many layers and many children', async () => {
      const digests = Array.from({ length: 1500 }, someDigest);
      const image = await addImage(store, repositoryId, { layers: digests, children: digests });
      assert.deepEqual(await store.read.images.indexesOf(repositoryId, digests[1499]!), [image.digest]);
    });

    it('gives every image with its manifest in the order of ids', async () => {
      const added = [await addImage(store, repositoryId), await addImage(store, (await addRepository(store)).id)];
      const manifests = await store.read.images.manifests(added[0]!.id - 1, 2);
      assert.deepEqual(
        manifests,
        added.map((image) => ({
          imageId: image.id,
          repositoryId: image.repositoryId,
          digest: image.digest,
          bytes: new Uint8Array(Buffer.from(image.digest)),
        })),
      );
      assert.deepEqual(await store.read.images.manifests(added[0]!.id, 1), manifests.slice(1));
    });

    it('finds layers that images use and their repositories lack', async () => {
      const { id } = await addRepository(store);
      const [had, lacked] = [await addLayer(store, id), await addLayer(store, repositoryId)];
      const image = await addImage(store, id, { layers: [had.digest, lacked.digest] });
      const missing = (await store.read.images.missingLayers(10_000)).filter((layer) => layer.repositoryId === id);
      assert.deepEqual(missing, [{ repositoryId: id, imageDigest: image.digest, layerDigest: lacked.digest }]);
      assert.equal((await store.read.images.missingLayers(1)).length, 1);
    });
  });
}
