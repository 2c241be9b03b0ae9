import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Gate, GateException } from '../../../src/core/gates/gate-records.ts';
import type { SeverityCounts } from '../../../src/core/scanning/scan-records.ts';
import { addImage, addRepository, type MetadataStoreDriver, minutesLater, openMigrated, REGISTRY } from './driver.ts';

export function describeGates(driver: MetadataStoreDriver): void {
  /** A store with a repository and an image. */
  async function opened() {
    const { store, [Symbol.asyncDispose]: close } = await openMigrated(driver);
    const repository = await addRepository(store);
    const image = await addImage(store, repository.id);
    const gate = (changes: Partial<Gate> = {}): Gate => ({
      repositoryId: repository.id,
      requiresScan: true,
      graceSeconds: 0,
      isDryRun: false,
      author: 'operator:ann',
      updatedAt: minutesLater(1),
      ...changes,
    });
    const exception = (changes: Partial<GateException> = {}): GateException => ({
      repositoryId: repository.id,
      until: minutesLater(60),
      reason: 'not reachable',
      author: 'operator:ann',
      createdAt: minutesLater(1),
      ...changes,
    });
    const put = (one: Gate) => store.transaction('registry', ({ gates }) => gates.put(one));
    const except = (one: GateException) => store.transaction('registry', ({ gates }) => gates.putException(one));
    return { store, repository, image, gate, exception, put, except, [Symbol.asyncDispose]: close };
  }

  describe(`${driver.name}: gates`, () => {
    it('keeps the gate of a repository, and replaces it', async () => {
      await using given = await opened();
      const { store, repository, gate, put } = given;
      assert.equal(await store.read.gates.find(repository.id), undefined);
      assert.deepEqual(await store.read.gates.all(), []);
      await put(gate());
      assert.deepEqual(await store.read.gates.find(repository.id), gate());
      const other = gate({ severity: 'HIGH', requiresScan: false, signedBy: 'arn:é', graceSeconds: 9, isDryRun: true });
      await put(other);
      assert.deepEqual(await store.read.gates.find(repository.id), other);
      const all = { registry: REGISTRY, repositoryName: repository.name, gate: other, exceptions: [] };
      assert.deepEqual(await store.read.gates.all(), [all]);
    });

    it('keeps exceptions, each once for what it is about', async () => {
      await using given = await opened();
      const { store, repository, image, gate, exception, put, except } = given;
      await put(gate());
      const { digest } = image;
      const [ofCve, ofImage] = [exception({ cve: 'CVE-1' }), exception({ digest, until: minutesLater(9) })];
      for (const one of [ofCve, ofImage, exception({ cve: 'CVE-1', digest })]) await except(one);
      const ofBoth = exception({ cve: 'CVE-1', digest, until: minutesLater(99), reason: 'é', author: 'operator:bob' });
      await except(ofBoth);
      assert.deepEqual(await store.read.gates.exceptions(repository.id), [ofImage, ofCve, ofBoth]);
      assert.deepEqual((await store.read.gates.all())[0]?.exceptions, [ofImage, ofCve, ofBoth]);
      const end = (key: Pick<GateException, 'cve' | 'digest'>) =>
        store.transaction('registry', ({ gates }) => gates.deleteException(repository.id, key));
      assert.deepEqual([await end({ cve: 'CVE-1' }), await end({ cve: 'CVE-1' })], [true, false]);
      assert.deepEqual(await store.read.gates.exceptions(repository.id), [ofImage, ofBoth]);
    });

    it('takes the exceptions of a gate along with it, and both with the repository', async () => {
      await using given = await opened();
      const { store, gate, exception, put, except } = given;
      const elsewhere = await addRepository(store);
      const remove = () => store.transaction('registry', ({ gates }) => gates.delete(elsewhere.id));
      for (const repositoryId of [gate().repositoryId, elsewhere.id]) {
        await put(gate({ repositoryId }));
        await except(exception({ repositoryId, cve: 'CVE-1' }));
      }
      assert.deepEqual([await remove(), await remove()], [true, false]);
      assert.deepEqual(await store.read.gates.exceptions(elsewhere.id), []);
      assert.equal((await store.read.gates.all()).length, 1);
      await store.transaction('alone', async ({ repositories }) => {
        await repositories.retire(gate().repositoryId);
        while (await repositories.reap(gate().repositoryId, 9));
      });
      assert.deepEqual(await store.read.gates.all(), []);
      assert.deepEqual(await store.read.gates.exceptions(gate().repositoryId), []);
    });

    it('says of an image what a gate asks', async () => {
      await using given = await opened();
      const { store, repository, image } = given;
      const { id: imageId, digest, pushedAt } = image;
      const asked = () => store.read.gates.image(repository.id, digest, 'BASIC');
      assert.deepEqual(await asked(), { imageId, pushedAt });
      assert.equal(await store.read.gates.image(repository.id + 1, digest, 'BASIC'), undefined);
      const started = { imageId, status: 'FAILED', description: 'why', registry: REGISTRY } as const;
      await store.transaction('own-rows', async ({ scanning }) => {
        await scanning.start({ ...started, scanType: 'BASIC', startedAt: minutesLater(1) });
        await scanning.start({ ...started, scanType: 'ENHANCED', status: 'PENDING', startedAt: minutesLater(1) });
      });
      assert.deepEqual(await asked(), { imageId, pushedAt, scan: { status: 'FAILED', description: 'why' } });
      const found = { severityCounts: { LOW: 1 }, completedAt: minutesLater(5) };
      await store.transaction('own-rows', ({ scanning }) =>
        scanning.end({
          imageId,
          scanType: 'BASIC',
          status: 'COMPLETE',
          result: { ...found, sourceUpdatedAt: minutesLater(0), source: 'a', findings: new Uint8Array([1]) },
        }),
      );
      assert.deepEqual(await asked(), { imageId, pushedAt, scan: { status: 'COMPLETE', result: found } });
    });

    it('knows since when results have had findings of a severity', async () => {
      await using given = await opened();
      const { store, image } = given;
      const { id: imageId } = image;
      const since = () => store.read.scanning.severitiesSince(imageId, 'BASIC');
      const end = (severityCounts: SeverityCounts, minutes: number) =>
        store.transaction('own-rows', ({ scanning }) =>
          scanning.end({
            imageId,
            scanType: 'BASIC',
            status: 'COMPLETE',
            result: {
              completedAt: minutesLater(minutes),
              sourceUpdatedAt: minutesLater(0),
              source: 'a',
              severityCounts,
              findings: new Uint8Array(),
            },
          }),
        );
      await end({ HIGH: 1 }, 1);
      assert.deepEqual(await since(), {}, 'no scan had begun');
      await store.transaction('own-rows', async ({ scanning }) => {
        for (const scanType of ['BASIC', 'ENHANCED'] as const) {
          await scanning.start({
            imageId,
            scanType,
            status: 'PENDING',
            startedAt: minutesLater(1),
            registry: REGISTRY,
          });
        }
      });
      await end({ HIGH: 1 }, 2);
      await end({ HIGH: 3, LOW: 1 }, 3);
      assert.deepEqual(await since(), { HIGH: minutesLater(2), LOW: minutesLater(3) });
      assert.deepEqual(await store.read.scanning.severitiesSince(imageId, 'ENHANCED'), {});
      await end({ LOW: 1 }, 4);
      await end({ HIGH: 1, LOW: 1 }, 5);
      assert.deepEqual(await since(), { HIGH: minutesLater(5), LOW: minutesLater(3) });
      await store.transaction('own-rows', ({ scanning }) => scanning.forget(imageId));
      assert.deepEqual(await since(), {});
    });
  });
}
