import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TagChange } from '../../../src/core/history/history-records.ts';
import type { Image } from '../../../src/core/images/image-records.ts';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import type { Digest } from '../../../src/core/values/digest.ts';
import {
  addImage,
  addRepository,
  MANIFEST_TYPE,
  type MetadataStoreDriver,
  MOMENT,
  minutesLater,
  type OpenStore,
  openMigrated,
  someDigest,
} from './driver.ts';

const PRINCIPAL = 'arn:aws:iam::000000000000:user/alice';

export function describeHistory(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: history`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    let repositoryId: number;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
      repositoryId = (await addRepository(store)).id;
    });
    after(() => opened[Symbol.asyncDispose]());

    const note = async (tag: string, minutes: number, change: Partial<TagChange> = {}) => {
      const noted = {
        repositoryId,
        tag,
        cause: 'push',
        principal: PRINCIPAL,
        at: minutesLater(minutes),
        ...change,
      } as const;
      await store.transaction('alone', ({ history }) => history.noteTags({ ...noted, tags: [tag] }));
      return noted;
    };
    const changesOf = (tag: string, beforeId?: number, limit = 100) =>
      store.read.history.tagChanges(repositoryId, tag, beforeId, limit);
    const keep = async (image: Image, minutes: number, tags: readonly string[] = []) => {
      const deletion = { tags, cause: 'delete', principal: PRINCIPAL, deletedAt: MOMENT } as const;
      const kept = { ...deletion, keptUntil: minutesLater(minutes) };
      await store.transaction('alone', async ({ history, images }) => {
        await history.keepImage(image.id, kept);
        await images.delete(image, MOMENT);
      });
      const { digest, pushedAt, subjectDigest } = image;
      return {
        repositoryId: image.repositoryId,
        digest,
        mediaType: MANIFEST_TYPE,
        ...(subjectDigest && { subjectDigest }),
        pushedAt,
        ...kept,
      };
    };
    const keptOf = (digest: Digest) => store.read.history.deletedImage(repositoryId, digest);

    it('gives the changes of one tag, newest first, on from any of them', async () => {
      const [one, other] = [someDigest(), someDigest()];
      const noted = [
        await note('moved', 1, { digest: one }),
        await note('moved', 1, { digest: other, formerDigest: one, cause: 'restore', principal: '' }),
        await note('moved', 3, { formerDigest: other, cause: 'lifecycle' }),
      ];
      await note('Moved', 2, { digest: one });
      const elsewhere = (await addRepository(store)).id;
      await note('moved', 2, { digest: one, repositoryId: elsewhere });
      const changes = await changesOf('moved');
      assert.deepEqual(
        changes.map(({ id: _, ...change }) => change),
        noted.toReversed(),
      );
      const [newest, middle, oldest] = changes;
      assert.deepEqual(await changesOf('moved', newest!.id, 1), [middle]);
      assert.deepEqual(await changesOf('moved', middle!.id), [oldest]);
      assert.deepEqual(await changesOf('moved', oldest!.id), []);
      assert.deepEqual(await changesOf('nobody'), []);
    });

    it('tells what a tag was on at a time, and what it was on before all that is remembered', async () => {
      const [one, other] = [someDigest(), someDigest()];
      await note('timed', 1, { digest: one, formerDigest: other });
      await note('timed', 5, { digest: other, formerDigest: one });
      await note('timed', 5, { formerDigest: other });
      const at = async (minutes: number) =>
        (await store.read.history.tagChangeAt(repositoryId, 'timed', minutesLater(minutes)))?.formerDigest;
      assert.deepEqual(
        [await at(0), await at(1), await at(4), await at(5), await at(9)],
        [undefined, other, other, other, other],
      );
      const last = await store.read.history.tagChangeAt(repositoryId, 'timed', minutesLater(5));
      assert.equal(last?.digest, undefined);
      const first = await store.read.history.firstTagChange(repositoryId, 'timed');
      assert.deepEqual([first?.digest, first?.formerDigest, first?.at], [one, other, minutesLater(1)]);
      assert.equal(await store.read.history.firstTagChange(repositoryId, 'nobody'), undefined);
    });

    it('keeps what a deleted image was, its manifest byte for byte', async () => {
      const subjectDigest = someDigest();
      const image = await addImage(store, repositoryId, { tags: ['a', 'b'], subjectDigest });
      const kept = await keep(image, 10, ['a', 'b']);
      assert.deepEqual(await keptOf(image.digest), kept);
      assert.deepEqual(
        await store.read.history.deletedManifest(repositoryId, image.digest),
        new Uint8Array(Buffer.from(image.digest)),
      );
      assert.deepEqual(await store.read.history.deletedReferrers(repositoryId, subjectDigest), [kept]);
      assert.deepEqual(await store.read.history.deletedReferrers(repositoryId, image.digest), []);
      assert.equal(await store.read.history.deletedImage(repositoryId + 1000, image.digest), undefined);
      assert.equal(await store.read.history.deletedManifest(repositoryId, someDigest()), undefined);
    });

    it('keeps the latest deletion of a digest, until it is forgotten', async () => {
      const { digest } = await addImage(store, repositoryId).then((image) => keep(image, 10));
      const again = await addImage(store, repositoryId, { digest, pushedAt: minutesLater(2) });
      const kept = await keep(again, 20, ['new']);
      assert.deepEqual(await keptOf(digest), kept);
      await store.transaction('alone', ({ history }) => history.forgetImage(repositoryId, digest));
      assert.equal(await keptOf(digest), undefined);
    });

    it('lists deleted images in the order of digests, after a digest', async () => {
      const { id } = await addRepository(store);
      const kept = [];
      for (let count = 0; count < 3; count++) kept.push(await keep(await addImage(store, id), 10));
      kept.sort((one, other) => (one.digest < other.digest ? -1 : 1));
      const [first, second, third] = kept;
      assert.deepEqual(await store.read.history.deletedImages(id, '', 2), [first, second]);
      assert.deepEqual(await store.read.history.deletedImages(id, second!.digest, 2), [third]);
    });

    it('forgets what is over, so many at a time', async () => {
      const image = await keep(await addImage(store, repositoryId), -10);
      const other = await keep(await addImage(store, repositoryId), -10);
      const lasting = await keep(await addImage(store, repositoryId), -9);
      const forget = () => store.transaction('alone', ({ history }) => history.forgetImages(minutesLater(-9), 1));
      assert.deepEqual([await forget(), await forget(), await forget()], [1, 1, 0]);
      assert.deepEqual([await keptOf(image.digest), await keptOf(other.digest)], [undefined, undefined]);
      assert.deepEqual(await keptOf(lasting.digest), lasting);
      for (const minutes of [-20, -20, -10]) await note('forgotten', minutes, { digest: someDigest() });
      const forgetTags = () =>
        store.transaction('alone', ({ history }) => history.forgetTagChanges(minutesLater(-10), 1));
      assert.deepEqual([await forgetTags(), await forgetTags(), await forgetTags()], [1, 1, 0]);
      assert.deepEqual(
        (await changesOf('forgotten')).map(({ at }) => at),
        [minutesLater(-10)],
      );
    });

    it('goes with its repository, a few rows at a time', async () => {
      const { id } = await addRepository(store);
      const kept = [];
      for (let count = 0; count < 3; count++) {
        await note('gone', 1, { repositoryId: id, digest: someDigest() });
        kept.push(await keep(await addImage(store, id), 10));
      }
      await store.transaction('alone', ({ repositories }) => repositories.retire(id));
      let steps = 0;
      while (await store.transaction('alone', ({ repositories }) => repositories.reap(id, 2))) steps++;
      // Three images, three changes, the repository.
      assert.equal(steps, 2 + 2 + 1);
      assert.deepEqual(await store.read.history.deletedImages(id, '', 10), []);
      assert.deepEqual(await store.read.history.tagChanges(id, 'gone', undefined, 10), []);
    });
  });
}
