import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MetadataStore, Records } from '../../../src/core/metadata-store.ts';
import { type MetadataStoreDriver, newRepository, type OpenStore, openMigrated, REGISTRY } from './driver.ts';

export function describeTransactions(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: transactions`, () => {
    let opened: OpenStore;
    let store: MetadataStore;
    before(async () => {
      opened = await openMigrated(driver);
      store = opened.store;
    });
    after(() => opened[Symbol.asyncDispose]());

    const insert = (records: Records, name: string) => records.repositories.insert(newRepository({ name }));
    const exists = async (name: string) => (await store.read.repositories.find(REGISTRY, name)) !== undefined;

    it('give what the work gives, and its records stay', async () => {
      const given = await store.transaction('alone', async (records) => {
        await insert(records, 'kept');
        return 'given';
      });
      assert.equal(given, 'given');
      assert.ok(await exists('kept'));
    });

    it('show the work its own records', async () => {
      await store.transaction('alone', async (records) => {
        const inserted = await insert(records, 'own');
        assert.deepEqual(await records.repositories.find(REGISTRY, 'own'), inserted);
      });
    });

    it('leave nothing of work that throws half way, and pass its error on unchanged', async () => {
      const reason = new Error('half way');
      const work = store.transaction('alone', async (records) => {
        await insert(records, 'half');
        throw reason;
      });
      await assert.rejects(work, (error) => error === reason);
      assert.ok(!(await exists('half')));
    });

    it('pass on what is no Error, and what is thrown before the first record', async () => {
      await assert.rejects(
        store.transaction('alone', async () => {
          throw 'text';
        }),
        (error) => error === 'text',
      );
      await assert.rejects(
        store.transaction('alone', () => {
          throw new RangeError('at once');
        }),
        RangeError,
      );
    });

    it('keep works that meet apart: one that throws takes neither the one before nor the one after', async () => {
      const results = await Promise.allSettled([
        store.transaction('alone', (records) => insert(records, 'first')),
        store.transaction('alone', async (records) => {
          await insert(records, 'second');
          throw new Error('second');
        }),
        store.transaction('alone', async (records) => {
          assert.equal(await records.repositories.find(REGISTRY, 'second'), undefined);
          return insert(records, 'third');
        }),
      ]);
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.deepEqual([await exists('first'), await exists('second'), await exists('third')], [true, false, true]);
    });

    it('run one after another, each seeing the records of those before', async () => {
      await store.transaction('alone', (records) =>
        records.repositories.insert(newRepository({ name: 'counter', resourceTags: [{ key: 'count', value: '0' }] })),
      );
      const increment = () =>
        store.transaction('alone', async ({ repositories }) => {
          const { id, resourceTags } = (await repositories.find(REGISTRY, 'counter'))!;
          await Promise.resolve();
          const value = String(Number(resourceTags[0]!.value) + 1);
          await repositories.update(id, { resourceTags: [{ key: 'count', value }] });
        });
      await Promise.all(Array.from({ length: 200 }, increment));
      const counter = await store.read.repositories.find(REGISTRY, 'counter');
      assert.deepEqual(counter?.resourceTags, [{ key: 'count', value: '200' }]);
    });

    it('hide records from readers until they are committed', async () => {
      const seen: Promise<boolean>[] = [];
      const failing = store.transaction('alone', async (records) => {
        await insert(records, 'uncommitted');
        seen.push(exists('uncommitted'));
        await nextTurn();
        throw new Error('no');
      });
      await assert.rejects(failing);
      assert.deepEqual(await Promise.all(seen), [false]);
    });

    it('refuse records that come after the work ended', async () => {
      let kept: Records | undefined;
      await store.transaction('alone', async (records) => {
        kept = records;
      });
      await assert.rejects(insert(kept!, 'late'), /transaction is over/);
      assert.ok(!(await exists('late')));
    });

    it('serve again after works that fail', async () => {
      await assert.rejects(
        store.transaction('alone', async ({ layers }) => {
          // No such blob: the database itself refuses this.
          await layers.insert({ repositoryId: -1, digest: 'sha256:00', blobId: -1, leaseUntil: new Date() });
        }),
      );
      await store.transaction('alone', (records) => insert(records, 'afterwards'));
      assert.ok(await exists('afterwards'));
    });
  });

  describe(`${driver.name}: opening and closing`, () => {
    it('is ready once migrated, and migrating again changes nothing', async () => {
      await using opened = await driver.open();
      const { store } = opened;
      await assert.rejects(store.ready());
      await store.migrate();
      await store.ready();
      await store.transaction('alone', (records) => records.repositories.insert(newRepository({ name: 'kept' })));
      await store.migrate();
      assert.ok(await store.read.repositories.find(REGISTRY, 'kept'));
    });

    it('finishes the works it has taken before it closes, takes none afterwards, and closes once', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const taken = store.transaction('alone', (records) => records.repositories.insert(newRepository()));
      await Promise.all([store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
      assert.ok(await taken);
      await assert.rejects(store.transaction('alone', async () => {}));
      await assert.rejects(store.ready());
    });
  });
}
