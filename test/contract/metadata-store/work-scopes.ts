import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MetadataStore, Records } from '../../../src/core/metadata-store.ts';
import { type MetadataStoreDriver, newRepository, type OpenStore, openMigrated, REGISTRY } from './driver.ts';

const NOT_FOUND_FIRST = /must find it before anything else/;
const OTHERS = /its own rows/;
const DIGEST = 'sha256:00';

/** Works that do what they did not say, on a store that would let them as on one that needs to know. */
export function describeWorkScopes(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: works`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    let id: number;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
      const insert = (records: Records) =>
        records.repositories.insert(newRepository({ name: 'present', scanOnPush: true }));
      id = (await store.transaction('registry', insert))!.id;
    });
    after(() => opened[Symbol.asyncDispose]());

    it('about a repository begin by finding it, by name or by id', async () => {
      const byName = await store.transaction('repository', async ({ repositories, images }) => {
        await repositories.find(REGISTRY, 'present');
        return images.find(id, DIGEST);
      });
      assert.equal(byName, undefined);
      await store.transaction('repository', async ({ repositories }) => {
        await repositories.findById(id);
        await repositories.update(id, { imageTagMutability: 'IMMUTABLE' });
      });
      assert.equal((await store.read.repositories.findById(id))?.imageTagMutability, 'IMMUTABLE');
    });

    const otherBeginnings: Readonly<Record<string, (records: Records) => Promise<unknown>>> = {
      'images.find': ({ images }) => images.find(id, DIGEST),
      'uploads.delete': ({ uploads }) => uploads.delete('none'),
      'repositories.update': ({ repositories }) => repositories.update(id, { scanOnPush: false }),
      'repositories.findMany': ({ repositories }) => repositories.findMany(REGISTRY, ['present']),
    };
    for (const [name, begin] of Object.entries(otherBeginnings)) {
      it(`about a repository reject when they begin with ${name}`, async () => {
        await assert.rejects(store.transaction('repository', begin), NOT_FOUND_FIRST);
        assert.equal((await store.read.repositories.findById(id))?.scanOnPush, true);
      });
    }

    it('about a repository that is not there reject when they do anything else', async () => {
      const work = store.transaction('repository', async ({ repositories, jobs }) => {
        assert.equal(await repositories.find(REGISTRY, 'absent'), undefined);
        return jobs.discard(1);
      });
      await assert.rejects(work, NOT_FOUND_FIRST);
      const nothing = store.transaction('repository', ({ repositories }) => repositories.find(REGISTRY, 'absent'));
      assert.equal(await nothing, undefined);
    });

    it('about rows of their own reject when they touch images, rules or settings', async () => {
      await store.transaction('own-rows', ({ jobs }) => jobs.discard(1));
      await assert.rejects(
        store.transaction('own-rows', ({ images }) => images.find(id, DIGEST)),
        OTHERS,
      );
      await assert.rejects(
        store.transaction('own-rows', ({ replication }) => replication.rules(REGISTRY)),
        OTHERS,
      );
      await assert.rejects(
        store.transaction('own-rows', ({ accountSettings }) =>
          accountSettings.put(REGISTRY, 'BLOB_MOUNTING', 'ENABLED'),
        ),
        OTHERS,
      );
      assert.equal(await store.read.accountSettings.find(REGISTRY, 'BLOB_MOUNTING'), undefined);
    });
  });
}
