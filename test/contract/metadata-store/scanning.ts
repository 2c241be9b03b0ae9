import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndedScan, NewScan, RegistryScanning, ScanType } from '../../../src/core/scanning/scan-records.ts';
import {
  addImage,
  addLayer,
  addRepository,
  type MetadataStoreDriver,
  minutesLater,
  openMigrated,
  REGISTRY,
  someDigest,
} from './driver.ts';

const other = { ...REGISTRY, region: 'eu-west-1' };

const result = (changes: Partial<EndedScan['result']> = {}): Required<EndedScan>['result'] => ({
  completedAt: minutesLater(5),
  sourceUpdatedAt: minutesLater(-5),
  source: 'a',
  severityCounts: { HIGH: 2, LOW: 1 },
  findings: new Uint8Array([1, 2, 3]),
  ...changes,
});

export function describeScanning(driver: MetadataStoreDriver): void {
  /** A store with two images, and what starts and ends their scans. */
  async function opened() {
    const { store, [Symbol.asyncDispose]: close } = await openMigrated(driver);
    const repository = await addRepository(store);
    const [image, another] = [await addImage(store, repository.id), await addImage(store, repository.id)];
    const start = (changes: Partial<NewScan> = {}) =>
      store.transaction('own-rows', ({ scanning }) =>
        scanning.start({
          imageId: image.id,
          scanType: 'BASIC',
          status: 'IN_PROGRESS',
          startedAt: minutesLater(1),
          registry: REGISTRY,
          ...changes,
        }),
      );
    const end = (changes: Partial<EndedScan> = {}) =>
      store.transaction('own-rows', ({ scanning }) =>
        scanning.end({ imageId: image.id, scanType: 'BASIC', status: 'COMPLETE', ...changes }),
      );
    const find = (scanType: ScanType = 'BASIC') => store.read.scanning.find(image.id, scanType);
    return { store, repository, image, another, start, end, find, [Symbol.asyncDispose]: close };
  }

  describe(`${driver.name}: scanning`, () => {
    it('keeps how each registry is scanned, and replaces it', async () => {
      await using opening = await openMigrated(driver);
      const { store } = opening;
      const put = (scanning: RegistryScanning) =>
        store.transaction('registry', (records) => records.scanning.putRegistryScanning(REGISTRY, scanning));
      assert.deepEqual(await store.read.scanning.registryScanning(REGISTRY), { scanType: 'BASIC', rules: [] });
      const rules = [{ frequency: 'CONTINUOUS_SCAN', filters: ['prod*', 'é'] }] as const;
      await put({ scanType: 'ENHANCED', rules });
      assert.deepEqual(await store.read.scanning.registryScanning(REGISTRY), { scanType: 'ENHANCED', rules });
      assert.deepEqual(await store.read.scanning.registryScanning(other), { scanType: 'BASIC', rules: [] });
      await put({ scanType: 'BASIC', rules: [] });
      assert.deepEqual(await store.read.scanning.registryScanning(REGISTRY), { scanType: 'BASIC', rules: [] });
    });

    it('keeps what the last scan that completed came to, for each type', async () => {
      await using given = await opened();
      const { image, start, end, find, store } = given;
      assert.equal(await find(), undefined);
      await end();
      assert.equal(await find(), undefined, 'no scan had begun');
      await start();
      const begun = { imageId: image.id, scanType: 'BASIC', status: 'IN_PROGRESS', startedAt: minutesLater(1) };
      assert.deepEqual(await find(), begun);
      assert.equal(await store.read.scanning.findings(image.id, 'BASIC'), undefined);
      await end({ result: result() });
      const { findings, ...summary } = result();
      assert.deepEqual(await find(), { ...begun, status: 'COMPLETE', result: summary });
      assert.deepEqual(new Uint8Array((await store.read.scanning.findings(image.id, 'BASIC'))!), findings);

      await start({ startedAt: minutesLater(9), description: 'again' });
      const again = { ...begun, startedAt: minutesLater(9), description: 'again', result: summary };
      assert.deepEqual(await find(), again);
      await end({ status: 'FAILED', description: 'why' });
      assert.deepEqual(await find(), { ...again, status: 'FAILED', description: 'why' });
      assert.equal(await find('ENHANCED'), undefined);
      await start({ scanType: 'ENHANCED', status: 'PENDING' });
      await end({
        scanType: 'ENHANCED',
        status: 'ACTIVE',
        result: result({ source: 'b', findings: new Uint8Array() }),
      });
      assert.equal((await find('ENHANCED'))?.result?.source, 'b');
      assert.equal((await find())?.result?.source, 'a');
      assert.deepEqual(
        (await store.read.scanning.findMany([image.id, given.another.id, 999_999], 'BASIC')).map(
          ({ status }) => status,
        ),
        ['FAILED'],
      );
    });

    it('forgets the scans of an image on request, and with the image', async () => {
      await using given = await opened();
      const { store, image, another, start, end, find } = given;
      for (const scanType of ['BASIC', 'ENHANCED'] as const) await start({ scanType });
      await start({ imageId: another.id });
      await store.transaction('own-rows', ({ scanning }) => scanning.forget(image.id));
      assert.deepEqual([await find(), await find('ENHANCED')], [undefined, undefined]);
      assert.ok(await store.read.scanning.find(another.id, 'BASIC'));
      await start();
      await store.transaction('alone', ({ images }) => images.delete(image, minutesLater(9)));
      assert.equal(await find(), undefined);
      await start();
      await end({ result: result() });
      assert.equal(await find(), undefined, 'the image is gone');
    });

    it('counts what began in a registry after a time', async () => {
      await using given = await opened();
      const { another, start, store } = given;
      const count = (registry = REGISTRY, minutes = 0) =>
        store.read.scanning.countStarted(registry, 'BASIC', minutesLater(minutes));
      assert.equal(await count(), 0);
      await start();
      await start({ scanType: 'ENHANCED' });
      await start({ imageId: another.id, startedAt: minutesLater(2) });
      assert.deepEqual(
        [await count(), await count(REGISTRY, 1), await count(REGISTRY, 2), await count(other)],
        [2, 1, 0, 0],
      );
    });

    it('lists the images that are watched', async () => {
      await using given = await opened();
      const { store, repository, image, another, start, end } = given;
      const third = await addImage(store, repository.id);
      for (const { id: imageId } of [image, another, third]) {
        await start({ imageId, scanType: 'ENHANCED', status: 'PENDING' });
        await start({ imageId, status: 'ACTIVE' });
      }
      const active = { scanType: 'ENHANCED', status: 'ACTIVE' } as const;
      for (const { id: imageId } of [another, third]) await end({ ...active, imageId, result: result() });
      const row = { imageId: another.id, repositoryId: repository.id, digest: another.digest, source: 'a' };
      assert.deepEqual(await store.read.scanning.watched('ACTIVE', 0, 1), [row]);
      const rest = await store.read.scanning.watched('ACTIVE', another.id, 9);
      assert.deepEqual(rest, [{ ...row, imageId: third.id, digest: third.digest }]);
      await store.transaction('alone', ({ images }) =>
        images.setStatus(third.id, { status: 'ARCHIVED', archivedAt: minutesLater(3) }),
      );
      assert.deepEqual(await store.read.scanning.watched('ACTIVE', another.id, 9), []);
    });

    it('keeps the inventory of a layer for all who share its blob, as long as there is that', async () => {
      await using opening = await openMigrated(driver);
      const { store } = opening;
      const [one, two] = [await addRepository(store), await addRepository(store)];
      const blob = await addLayer(store, one.id);
      const elsewhere = await addLayer(store, two.id);
      const { digest } = blob;
      const put = (repositoryId: number, bytes: number[], format = 1) =>
        store.transaction('own-rows', ({ scanning }) =>
          scanning.putInventory(repositoryId, { digest, bytes: new Uint8Array(bytes) }, format),
        );
      const read = async (repositoryId: number, format = 1) =>
        (await store.read.scanning.inventories(repositoryId, [digest, someDigest()], format)).map((found) => [
          found.digest,
          ...found.bytes,
        ]);
      await put(two.id, [1]);
      assert.deepEqual(await read(one.id), [], 'the other repository has no such layer');
      await put(one.id, [1, 2]);
      assert.deepEqual(await read(one.id), [[digest, 1, 2]]);
      assert.deepEqual(await read(one.id, 2), []);
      await put(one.id, [3], 2);
      assert.deepEqual([await read(one.id), await read(one.id, 2)], [[], [[digest, 3]]]);
      assert.deepEqual(await store.read.scanning.inventoried(one.id, [digest, elsewhere.digest], 2), [digest]);
      assert.deepEqual(await read(two.id, 2), []);
      const shared = { repositoryId: two.id, digest, blobId: blob.id, leaseUntil: minutesLater(1) };
      await store.transaction('alone', ({ layers }) => layers.insert(shared));
      assert.deepEqual(await read(two.id, 2), [[digest, 3]]);
      await store.transaction('alone', async ({ layers, blobs }) => {
        for (const { id } of [one, two]) await layers.deleteUnused(id, digest);
        assert.equal(await blobs.deleteUnreferenced(blob.id), true);
      });
      assert.deepEqual(await store.read.scanning.inventoried(two.id, [digest], 2), []);
    });
  });
}
