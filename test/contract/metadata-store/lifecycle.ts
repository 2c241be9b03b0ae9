import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { LifecyclePreviewImage } from '../../../src/core/lifecycle/lifecycle-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import type { Digest } from '../../../src/core/values/digest.ts';
import {
  addImage,
  addRepository,
  type MetadataStoreDriver,
  MOMENT,
  minutesLater,
  type OpenStore,
  openMigrated,
  someDigest,
} from './driver.ts';

export function describeLifecycle(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: lifecycle`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    it('keeps one policy for a repository, and when it was applied until the document changes', async () => {
      const { id } = await addRepository(store);
      const { id: other } = await addRepository(store);
      const put = (document: string) =>
        store.transaction('alone', ({ lifecycle }) => lifecycle.putPolicy(id, document));
      const note = (document: string, at: Date) =>
        store.transaction('alone', ({ lifecycle }) => lifecycle.noteEvaluation(id, document, at));
      const policy = () => store.read.lifecycle.policy(id);
      assert.equal(await policy(), undefined);
      await note('none', MOMENT);
      assert.equal(await policy(), undefined);
      await put('{"ü":"1"}');
      assert.deepEqual(await policy(), { document: '{"ü":"1"}' });
      await note('another', MOMENT);
      assert.deepEqual(await policy(), { document: '{"ü":"1"}' });
      await note('{"ü":"1"}', MOMENT);
      assert.deepEqual(await policy(), { document: '{"ü":"1"}', evaluatedAt: MOMENT });
      await put('{"ü":"1"}');
      assert.deepEqual(await policy(), { document: '{"ü":"1"}', evaluatedAt: MOMENT });
      await put('two');
      assert.deepEqual(await policy(), { document: 'two' });
      await note('two', minutesLater(1));
      const remove = () => store.transaction('alone', ({ lifecycle }) => lifecycle.deletePolicy(id));
      assert.deepEqual(await remove(), { document: 'two', evaluatedAt: minutesLater(1) });
      assert.equal(await remove(), undefined);
      assert.equal(await store.read.lifecycle.policy(other), undefined);
    });

    it('names the repositories that have a policy, a page at a time', async () => {
      const ids: number[] = [];
      for (let count = 0; count < 5; count++) {
        const { id } = await addRepository(store);
        if (count === 2) continue;
        ids.push(id);
        await store.transaction('alone', ({ lifecycle }) => lifecycle.putPolicy(id, 'document'));
      }
      const { repositoryIds } = store.read.lifecycle;
      assert.deepEqual(await repositoryIds(ids[0]! - 1, 3), ids.slice(0, 3));
      assert.deepEqual(await repositoryIds(ids[2]!, 3), ids.slice(3));
      assert.deepEqual(await repositoryIds(ids[3]!, 3), []);
    });

    it('reads what decisions about images rest on, in pages by digest', async () => {
      const { id } = await addRepository(store);
      await addImage(store, (await addRepository(store)).id, { tags: ['elsewhere'] });
      const [plain, tagged, archived] = [
        await addImage(store, id),
        await addImage(store, id, { tags: ['b', 'a', 'ä'], pushedAt: minutesLater(1) }),
        await addImage(store, id, { tags: ['c'] }),
      ];
      const times = { archivedAt: minutesLater(2), activatedAt: minutesLater(3) };
      await store.transaction('alone', ({ images }) => images.setStatus(archived.id, { status: 'ARCHIVED', ...times }));
      const expected = [
        { digest: plain.digest, manifestBytes: plain.manifestBytes, status: 'ACTIVE', tags: [], pushedAt: MOMENT },
        {
          digest: tagged.digest,
          manifestBytes: tagged.manifestBytes,
          status: 'ACTIVE',
          tags: ['a', 'b', 'ä'],
          pushedAt: minutesLater(1),
        },
        {
          digest: archived.digest,
          manifestBytes: archived.manifestBytes,
          status: 'ARCHIVED',
          tags: ['c'],
          pushedAt: MOMENT,
          ...times,
        },
      ].sort((one, other) => (one.digest < other.digest ? -1 : 1));
      assert.deepEqual(await store.read.lifecycle.images(id, '', 10), expected);
      assert.deepEqual(await store.read.lifecycle.images(id, '', 2), expected.slice(0, 2));
      assert.deepEqual(await store.read.lifecycle.images(id, expected[1]!.digest, 2), expected.slice(2));
    });

    it('cuts pages short where images have many tags, and never between the tags of one', async () => {
      const { id } = await addRepository(store);
      const tagsOf = (image: number, count: number) => Array.from({ length: count }, (_, tag) => `${image}-${tag}`);
      for (const [image, count] of [3000, 3000, 6000, 1].entries()) {
        const { id: imageId } = await addImage(store, id);
        await store.transaction('alone', async ({ images }) => {
          for (const tag of tagsOf(image, count)) await images.tag(id, tag, imageId, MOMENT);
        });
      }
      const pages: number[] = [];
      const counts: number[] = [];
      for (let after = ''; ; ) {
        const page = await store.read.lifecycle.images(id, after, 10);
        if (page.length === 0) break;
        pages.push(page.length);
        counts.push(...page.map(({ tags }) => new Set(tags).size));
        after = page.at(-1)!.digest;
      }
      assert.deepEqual(counts.toSorted(), [1, 3000, 3000, 6000]);
      assert.ok(pages.length > 2, `pages of ${pages}`);
    });

    it('says which indexes list the images of a page', async () => {
      const { id } = await addRepository(store);
      const digests = [someDigest(), someDigest(), someDigest()].sort();
      for (const digest of digests) await addImage(store, id, { digest });
      const [first, second, third] = digests as [Digest, Digest, Digest];
      const index = await addImage(store, id, { children: [first, third] });
      const other = await addImage(store, id, { children: [third] });
      await addImage(store, (await addRepository(store)).id, { children: [second] });
      const { indexesBetween } = store.read.lifecycle;
      assert.deepEqual(await indexesBetween(id, '', second), [{ child: first, index: index.digest }]);
      const listed = await indexesBetween(id, second, third);
      assert.deepEqual(
        new Set(listed.map((one) => `${one.child} ${one.index}`)),
        new Set([`${third} ${index.digest}`, `${third} ${other.digest}`]),
      );
      assert.deepEqual(await indexesBetween(id, third, third), []);
    });

    it('has one preview for a repository, which ends once', async () => {
      const { id } = await addRepository(store);
      const begin = (preview: string, startedAt = MOMENT) =>
        store.transaction('alone', ({ lifecycle }) =>
          lifecycle.startPreview(id, { id: preview, document: preview, startedAt }),
        );
      const end = (preview: string, status: 'COMPLETE' | 'FAILED') =>
        store.transaction('alone', ({ lifecycle }) =>
          lifecycle.endPreview(id, preview, { status, expiring: 2, transitioning: 3 }),
        );
      const preview = () => store.read.lifecycle.preview(id);
      assert.equal(await preview(), undefined);
      await begin('one');
      const one = {
        id: 'one',
        document: 'one',
        status: 'IN_PROGRESS',
        startedAt: MOMENT,
        expiring: 0,
        transitioning: 0,
      };
      assert.deepEqual(await preview(), one);
      await end('another', 'FAILED');
      assert.deepEqual(await preview(), one);
      await end('one', 'COMPLETE');
      await end('one', 'FAILED');
      assert.deepEqual(await preview(), { ...one, status: 'COMPLETE', expiring: 2, transitioning: 3 });
      await begin('two', minutesLater(1));
      assert.deepEqual(await preview(), { ...one, id: 'two', document: 'two', startedAt: minutesLater(1) });
    });

    it('gives what a preview found by position, tag status or digest, and forgets it some at a time', async () => {
      const { id } = await addRepository(store);
      const { id: other } = await addRepository(store);
      const images = Array.from(
        { length: 5 },
        (_, index): LifecyclePreviewImage => ({
          position: index + 1,
          digest: someDigest(),
          tags: index % 2 === 0 ? [`t"${index}`, 'ü'] : [],
          pushedAt: minutesLater(index),
          action: index < 3 ? 'EXPIRE' : 'TRANSITION',
          rulePriority: 2 ** 31 - 1 - index,
          storageClass: index < 4 ? 'STANDARD' : 'ARCHIVE',
        }),
      );
      for (const repositoryId of [id, other]) {
        await store.transaction('alone', async ({ lifecycle }) => {
          await lifecycle.startPreview(repositoryId, { id: randomUUID(), document: '', startedAt: MOMENT });
          await lifecycle.insertPreviewImages(repositoryId, images);
        });
      }
      const { previewImages, previewImagesOf } = store.read.lifecycle;
      assert.deepEqual(await previewImages(id, 'ANY', 0, 10), images);
      assert.deepEqual(await previewImages(id, 'ANY', 2, 2), images.slice(2, 4));
      assert.deepEqual(await previewImages(id, 'TAGGED', 1, 10), [images[2], images[4]]);
      assert.deepEqual(await previewImages(id, 'UNTAGGED', 0, 1), [images[1]]);
      const wanted = [images[3]!.digest, images[0]!.digest, someDigest()];
      assert.deepEqual(await previewImagesOf(id, wanted), [images[0], images[3]]);

      const forget = (limit: number) =>
        store.transaction('alone', ({ lifecycle }) => lifecycle.deletePreviewImages(id, limit));
      assert.equal(await forget(3), 3);
      assert.deepEqual(await previewImages(id, 'ANY', 0, 10), images.slice(3));
      assert.equal(await forget(3), 2);
      assert.equal(await forget(3), 0);
      assert.deepEqual(await previewImages(other, 'ANY', 0, 10), images);
    });

    it('forgets all of it with the repository, some at a time', async () => {
      const { id } = await addRepository(store);
      const found = Array.from(
        { length: 5 },
        (_, index): LifecyclePreviewImage => ({
          position: index + 1,
          digest: someDigest(),
          tags: [],
          pushedAt: MOMENT,
          action: 'EXPIRE',
          rulePriority: 1,
          storageClass: 'STANDARD',
        }),
      );
      await store.transaction('alone', async ({ lifecycle }) => {
        await lifecycle.putPolicy(id, 'document');
        await lifecycle.startPreview(id, { id: 'one', document: '', startedAt: MOMENT });
        await lifecycle.insertPreviewImages(id, found);
      });
      await store.transaction('alone', ({ repositories }) => repositories.retire(id));
      await store.transaction('alone', ({ repositories }) => repositories.reap(id, 2));
      assert.equal((await store.read.lifecycle.previewImages(id, 'ANY', 0, 10)).length, 3);
      while (await store.transaction('alone', ({ repositories }) => repositories.reap(id, 2)));
      assert.deepEqual(await store.read.lifecycle.previewImages(id, 'ANY', 0, 10), []);
      assert.equal(await store.read.lifecycle.policy(id), undefined);
      assert.equal(await store.read.lifecycle.preview(id), undefined);
    });
  });
}
