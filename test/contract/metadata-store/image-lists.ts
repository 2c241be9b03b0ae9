import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Image } from '../../../src/core/images/image-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import type { Digest } from '../../../src/core/values/digest.ts';
import {
  addImage,
  addRepository,
  type MetadataStoreDriver,
  MOMENT,
  type OpenStore,
  openMigrated,
  someDigest,
} from './driver.ts';

export function describeImageLists(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: lists of images`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    let repositoryId: number;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
      repositoryId = (await addRepository(store)).id;
    });
    after(() => opened[Symbol.asyncDispose]());

    it('finds many with all their tags, in lexical order', async () => {
      const [tagged, bare] = [
        await addImage(store, repositoryId, { tags: ['v1', 'V1', 'v1.0', 'v1-0', '_v'] }),
        await addImage(store, repositoryId),
      ];
      await addImage(store, (await addRepository(store)).id, { digest: bare.digest, tags: ['elsewhere'] });
      const found = await store.read.images.findMany(repositoryId, [bare.digest, someDigest(), tagged.digest]);
      const expected = [
        { ...tagged, tags: ['V1', '_v', 'v1', 'v1-0', 'v1.0'] },
        { ...bare, tags: [] },
      ];
      assert.deepEqual(found.toSorted(byDigest), expected.toSorted(byDigest));
      assert.deepEqual(await store.read.images.findMany(repositoryId, []), []);
    });

    it('leaves annotations out where they would be repeated for each tag', async () => {
      const { id } = await addRepository(store);
      const annotations = { text: 'a' };
      const { annotations: _, ...plain } = await addImage(store, id, { annotations, tags: ['v1', 'v2'] });
      const expected = [{ ...plain, tags: ['v1', 'v2'] }];
      assert.deepEqual(await store.read.images.findMany(id, [plain.digest]), expected);
      assert.deepEqual(await store.read.images.page(id, { tagStatus: 'ANY', imageStatus: 'ACTIVE' }, '', 10), expected);
      assert.deepEqual((await store.read.images.find(id, plain.digest))?.annotations, annotations);
    });

    it('finds a thousand at once, and a thousand tags', async () => {
      const { id } = await addRepository(store);
      const added = await manyImages(store, id, 1000);
      const found = await store.read.images.findMany(
        id,
        added.map(({ digest }) => digest),
      );
      assert.deepEqual(
        found.toSorted(byDigest),
        added.map((image) => ({ ...image, tags: [`tag-${image.digest}`] })).toSorted(byDigest),
      );
      const tags = await store.read.images.findTags(id, [...found.flatMap((image) => image.tags), 'none']);
      assert.equal(tags.length, 1000);
      assert.ok(tags.every(({ tag, digest }) => tag === `tag-${digest}`));
    });

    it('leaves tags out that do not exist', async () => {
      const image = await addImage(store, repositoryId, { tags: ['is'] });
      await addImage(store, (await addRepository(store)).id, { tags: ['is', 'is-not'] });
      assert.deepEqual(await store.read.images.findTags(repositoryId, ['is', 'IS', 'is-not', '']), [
        { tag: 'is', digest: image.digest },
      ]);
      assert.deepEqual(await store.read.images.findTags(repositoryId, []), []);
    });

    it('gives tags in the order of bytes, after a tag, those of this repository alone', async () => {
      const { id } = await addRepository(store);
      const names = ['10', '9', 'A', 'Z', '_', 'a', 'a-', 'a.', 'a0', 'aA', 'a_', 'aa', 'z'];
      await addImage(store, id, { tags: names.toReversed() });
      assert.deepEqual(await store.read.images.tags(id, '', 100), names);
      assert.deepEqual(await store.read.images.tags(id, 'Z', 3), ['_', 'a', 'a-']);
      assert.deepEqual(await store.read.images.tags(id, 'Zebra', 1), ['_']);
      await addImage(store, id, { tags: ['0', 'b'] });
      assert.deepEqual(await store.read.images.tags(id, 'a_', 100), ['aa', 'b', 'z']);
    });

    it('gives referrers of a subject in the order of digests, of certain artifact types when asked', async () => {
      const subject = someDigest();
      const add = (artifactType?: string) =>
        addImage(store, repositoryId, { subjectDigest: subject, ...(artifactType && { artifactType }) });
      const [signature, report, plain, another] = [
        await add('application/signature'),
        await add('application/report'),
        await add(),
        await add('application/signature'),
      ];
      await addImage(store, repositoryId, { subjectDigest: someDigest() });
      await addImage(store, (await addRepository(store)).id, { subjectDigest: subject });
      const referrers = (types?: string[], after = '', limit = 10) =>
        store.read.images.referrers(
          repositoryId,
          subject,
          { ...(types && { artifactTypes: types }), imageStatus: 'ACTIVE' },
          after,
          limit,
        );
      const all = [signature, report, plain, another].sort(byDigest);
      assert.deepEqual(await referrers(), all);
      assert.deepEqual(await referrers(undefined, all[0]!.digest, 2), all.slice(1, 3));
      const signatures = [signature, another].sort(byDigest);
      assert.deepEqual(await referrers(['application/signature']), signatures);
      assert.deepEqual(await referrers(['application/signature'], signatures[0]!.digest), [signatures[1]]);
      assert.deepEqual(
        await referrers(['application/report', 'application/signature', 'none']),
        [...signatures, report].sort(byDigest),
      );
      assert.deepEqual(await referrers(['none']), []);
      const { hasReferrers } = store.read.images;
      assert.deepEqual(
        [await hasReferrers(repositoryId, subject), await hasReferrers(repositoryId, someDigest())],
        [true, false],
      );
      assert.deepEqual(await referrers([]), []);
    });

    it('gives the indexes that list an image, in order, those of the repository alone', async () => {
      const child = someDigest();
      const indexes: Digest[] = [];
      for (let count = 0; count < 4; count++) {
        indexes.push((await addImage(store, repositoryId, { children: [someDigest(), child] })).digest);
      }
      await addImage(store, (await addRepository(store)).id, { children: [child] });
      assert.deepEqual(await store.read.images.indexesOf(repositoryId, child), indexes.sort());
      assert.deepEqual(await store.read.images.indexesOf(repositoryId, someDigest()), []);
    });
  });
}

async function manyImages(store: MetadataStore, repositoryId: number, count: number): Promise<Image[]> {
  return store.transaction('alone', async ({ images }) => {
    const added: Image[] = [];
    for (let number = 0; number < count; number++) {
      const digest = someDigest();
      const image = { repositoryId, digest, mediaType: 'm', manifestBytes: 1, imageBytes: 1, pushedAt: MOMENT };
      added.push((await images.insert(image, new Uint8Array(1), [], []))!);
      await images.tag(repositoryId, `tag-${digest}`, added.at(-1)!.id, MOMENT);
    }
    return added;
  });
}

function byDigest(one: { digest: string }, other: { digest: string }): number {
  return one.digest < other.digest ? -1 : one.digest > other.digest ? 1 : 0;
}
