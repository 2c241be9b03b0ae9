import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MetadataStore } from '../../../src/core/metadata-store.ts';
import type { RepositoryRecords } from '../../../src/core/repositories/repository-records.ts';
import {
  addImage,
  addLayer,
  addRepository,
  type MetadataStoreDriver,
  MOMENT,
  newRepository,
  newUpload,
  type OpenStore,
  openMigrated,
  REGISTRY,
  someDigest,
} from './driver.ts';

export function describeRepositories(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: repositories`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    it('gives back what was inserted', async () => {
      const plain = newRepository();
      const full = newRepository({
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        exclusionFilters: [{ filterType: 'WILDCARD', filter: 'latest*' }],
        scanOnPush: true,
        encryption: { encryptionType: 'KMS', kmsKey: 'alias/key' },
        resourceTags: [{ key: 'schlüssel "1"', value: '' }],
      });
      for (const wanted of [plain, full]) {
        const inserted = await addRepository(store, wanted);
        assert.deepEqual(inserted, { ...wanted, id: inserted.id });
        assert.deepEqual(await store.read.repositories.find(REGISTRY, wanted.name), inserted);
        assert.deepEqual(await store.read.repositories.findById(inserted.id), inserted);
        assert.deepEqual(await store.read.repositories.findMany(REGISTRY, [wanted.name]), [inserted]);
        assert.deepEqual(Object.keys(inserted.encryption), Object.keys(wanted.encryption));
      }
    });

    it('refuses a second of the same name in a registry, and only there', async () => {
      const name = 'taken';
      const first = await addRepository(store, { name });
      const again = await store.transaction('alone', ({ repositories }) =>
        repositories.insert(newRepository({ name })),
      );
      assert.equal(again, undefined);
      for (const registry of [
        { ...REGISTRY, region: 'eu-west-1' },
        { ...REGISTRY, accountId: '111111111111' },
      ]) {
        const other = await addRepository(store, { name, registry });
        assert.notEqual(other.id, first.id);
        assert.deepEqual(await store.read.repositories.find(registry, name), other);
      }
      assert.deepEqual(await store.read.repositories.find(REGISTRY, name), first);
    });

    it('finds nothing under names that do not exist', async () => {
      assert.equal(await store.read.repositories.find(REGISTRY, 'nowhere'), undefined);
      assert.deepEqual(await store.read.repositories.findMany(REGISTRY, ['nowhere', 'neither']), []);
      assert.deepEqual(await store.read.repositories.findMany(REGISTRY, []), []);
    });

    it('finds a thousand at once', async () => {
      const names = Array.from({ length: 1000 }, (_, index) => `many/${index}`);
      await store.transaction('alone', async ({ repositories }) => {
        for (const name of names) await repositories.insert(newRepository({ name }));
      });
      const found = await store.read.repositories.findMany(REGISTRY, [...names, 'many/none', 'many/1']);
      assert.deepEqual(found.map(({ name }) => name).sort(), names.sort());
    });

    it('pages in the order of bytes, names in other registries left out, with inserts in between', async () => {
      const registry = { accountId: '222222222222', region: 'us-west-2' };
      const names = [
        'a',
        'B',
        'a-b',
        'a.b',
        'a/b',
        'a0',
        'a_b',
        'ab',
        'Z',
        'z',
        'é',
        '\u{ff5e}',
        '\u{1f600}',
        "o'b",
        'a%',
      ];
      for (const name of names) await addRepository(store, { name, registry });
      await addRepository(store, { name: 'aa', registry: REGISTRY });
      const inOrder = names.sort(bytewise);
      const first = await store.read.repositories.page(registry, '', 4);
      assert.deepEqual(
        first.map(({ name }) => name),
        inOrder.slice(0, 4),
      );
      await addRepository(store, { name: ' before', registry });
      await addRepository(store, { name: '~after', registry });
      const rest = await store.read.repositories.page(registry, inOrder[3]!, 100);
      assert.deepEqual(
        rest.map(({ name }) => name),
        [...inOrder.slice(4), '~after'].sort(bytewise),
      );
    });

    it('updates what is named, and nothing else', async () => {
      const repository = await addRepository(store, { resourceTags: [{ key: 'k', value: 'v' }] });
      const update = (changes: Parameters<RepositoryRecords['update']>[1]) =>
        store.transaction('alone', ({ repositories }) => repositories.update(repository.id, changes));
      const find = () => store.read.repositories.find(REGISTRY, repository.name);
      await update({});
      assert.deepEqual(await find(), repository);
      await update({ scanOnPush: true });
      assert.deepEqual(await find(), { ...repository, scanOnPush: true });
      const exclusions = {
        imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
        exclusionFilters: [{ filterType: 'WILDCARD', filter: '*' }],
      } as const;
      await update({ ...exclusions, resourceTags: [] });
      assert.deepEqual(await find(), { ...repository, ...exclusions, scanOnPush: true, resourceTags: [] });
      await update({ scanOnPush: false });
      assert.equal((await find())?.scanOnPush, false);
    });

    it('reaps what it held after it was retired; blobs stay, unreferenced unless shared', async () => {
      const [gone, stays] = [await addRepository(store), await addRepository(store)];
      const own = await addLayer(store, gone.id);
      const shared = await addLayer(store, gone.id);
      const lease = { repositoryId: stays.id, digest: shared.digest, blobId: shared.id, leaseUntil: MOMENT };
      await store.transaction('alone', ({ layers }) => layers.insert(lease));
      const subject = someDigest();
      const image = await addImage(store, gone.id, {
        layers: [own.digest],
        children: [subject],
        subjectDigest: subject,
        tags: ['a', 'b'],
      });
      const upload = newUpload(gone.id);
      await store.transaction('alone', ({ uploads }) => uploads.insert(upload));

      await retireAndReap(store, gone.id);

      const { read } = store;
      assert.equal(await read.repositories.find(REGISTRY, gone.name), undefined);
      assert.equal(await read.images.find(gone.id, image.digest), undefined);
      assert.equal(await read.images.manifest(gone.id, image.digest), undefined);
      assert.deepEqual(await read.images.tags(gone.id, '', 10), []);
      assert.equal(await read.images.countTags(image.id), 0);
      assert.deepEqual(await read.images.indexesOf(gone.id, subject), []);
      assert.deepEqual(await read.images.referrers(gone.id, subject, { imageStatus: 'ANY' }, '', 10), []);
      assert.deepEqual(await read.layers.findMany(gone.id, [own.digest, shared.digest]), []);
      assert.equal(await read.uploads.exists(upload.id), false);
      assert.deepEqual(await read.blobs.find('scope', own.digest), own);
      assert.deepEqual(await read.blobs.unreferenced(10), [own]);
      assert.ok(await read.layers.find(stays.id, shared.digest));
      assert.equal(await store.transaction('alone', ({ repositories }) => repositories.reap(gone.id, 1)), false);
    });

    it('gives up its name when retired, and is reaped a few rows at a time', async () => {
      const repository = await addRepository(store);
      for (let count = 0; count < 5; count++) await addImage(store, repository.id, { tags: [`t${count}`] });
      const layer = await addLayer(store, repository.id);
      await store.transaction('alone', ({ repositories }) => repositories.retire(repository.id));
      assert.equal(await store.read.repositories.find(REGISTRY, repository.name), undefined);
      assert.equal(await store.read.repositories.findById(repository.id), undefined);
      assert.ok((await store.read.repositories.retired(100)).includes(repository.id));
      const { id: _, ...successor } = repository;
      assert.ok(await store.transaction('alone', ({ repositories }) => repositories.insert(successor)));
      let steps = 0;
      while (await store.transaction('alone', ({ repositories }) => repositories.reap(repository.id, 2))) steps++;
      // Five images, one layer, the repository.
      assert.equal(steps, 3 + 1 + 1);
      assert.ok(!(await store.read.repositories.retired(100)).includes(repository.id));
      assert.ok((await store.read.blobs.unreferenced(100)).some(({ id }) => id === layer.id));
    });
  });
}

async function retireAndReap(store: MetadataStore, id: number): Promise<void> {
  await store.transaction('alone', ({ repositories }) => repositories.retire(id));
  while (await store.transaction('alone', ({ repositories }) => repositories.reap(id, 1)));
}

function bytewise(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
