import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
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
  REGISTRY,
  someDigest,
} from './driver.ts';

const principal = (name: string) => `arn:aws:iam::000000000000:role/${name}`;

export function describePullTimes(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: pull times`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    let repositoryId: number;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
      repositoryId = (await addRepository(store)).id;
    });
    after(() => opened[Symbol.asyncDispose]());

    const record = (digest: Digest, minutes: number, unlessAfter = minutes) =>
      store.transaction('alone', ({ pullTimes }) =>
        pullTimes.record({ repositoryId, digest, at: minutesLater(minutes) }, minutesLater(unlessAfter)),
      );
    const pulledAt = async (digest: Digest, inRepository = repositoryId) =>
      (await store.read.images.find(inRepository, digest))?.pulledAt;
    const insert = (principalArn: string, registry = REGISTRY) =>
      store.transaction('alone', ({ pullTimes }) =>
        pullTimes.insertExclusion(registry, { principalArn, createdAt: MOMENT }),
      );
    const remove = (principalArn: string, registry = REGISTRY) =>
      store.transaction('alone', ({ pullTimes }) => pullTimes.deleteExclusion(registry, principalArn));

    it('are recorded for one image, and unless a later one is there', async () => {
      const { digest } = await addImage(store, repositoryId);
      const other = await addImage(store, repositoryId);
      assert.equal(await pulledAt(digest), undefined);
      await record(digest, 5);
      assert.deepEqual(await pulledAt(digest), minutesLater(5));
      await record(digest, 6, 4);
      assert.deepEqual(await pulledAt(digest), minutesLater(5));
      await record(digest, 6, 5);
      assert.deepEqual(await pulledAt(digest), minutesLater(6));
      await record(digest, 1);
      assert.deepEqual(await pulledAt(digest), minutesLater(6));
      assert.equal(await pulledAt(other.digest), undefined);
    });

    it('are recorded for the indexes of the repository that list the image', async () => {
      const { digest } = await addImage(store, repositoryId);
      const index = await addImage(store, repositoryId, { children: [digest, someDigest()] });
      const stranger = await addImage(store, repositoryId, { children: [someDigest()] });
      const elsewhere = await addRepository(store);
      const namesake = await addImage(store, elsewhere.id, { children: [digest] });
      await record(digest, 7);
      assert.deepEqual(await pulledAt(index.digest), minutesLater(7));
      assert.equal(await pulledAt(stranger.digest), undefined);
      assert.equal(await pulledAt(namesake.digest, elsewhere.id), undefined);
      await record(index.digest, 9);
      assert.deepEqual(await pulledAt(digest), minutesLater(7));
    });

    it('are not recorded for what is gone', async () => {
      await record(someDigest(), 1);
    });

    it('keep exclusions of a registry, each principal once', async () => {
      const others = [
        { ...REGISTRY, region: 'eu-west-1' },
        { ...REGISTRY, accountId: '111122223333' },
      ];
      assert.deepEqual(await store.read.pullTimes.exclusions(REGISTRY, '', 10), []);
      for (const name of ['b', 'C', 'a']) assert.equal(await insert(principal(name)), true);
      assert.equal(await insert(principal('a')), false);
      for (const registry of others) assert.equal(await insert(principal('a'), registry), true);
      const listed = await store.read.pullTimes.exclusions(REGISTRY, '', 10);
      assert.deepEqual(
        listed,
        ['C', 'a', 'b'].map((name) => ({ principalArn: principal(name), createdAt: MOMENT })),
      );
      assert.deepEqual(await store.read.pullTimes.exclusions(REGISTRY, principal('C'), 1), [listed[1]]);
      assert.equal(await store.read.pullTimes.countExclusions(REGISTRY), 3);
      assert.equal(await remove(principal('a')), true);
      assert.equal(await remove(principal('a')), false);
      assert.equal(await store.read.pullTimes.countExclusions(REGISTRY), 2);
      for (const registry of others) assert.equal(await store.read.pullTimes.countExclusions(registry), 1);
    });
  });
}
