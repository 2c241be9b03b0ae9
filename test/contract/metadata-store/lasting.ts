import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { addRepository, type MetadataStoreDriver, newRepository, openMigrated, REGISTRY } from './driver.ts';

/** For drivers whose records outlive the process and are shared with other processes. */
export function describeLasting(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: lasting`, () => {
    it('finds everything again after closing', async () => {
      await using opened = await openMigrated(driver);
      const repository = await addRepository(opened.store);
      await opened.store[Symbol.asyncDispose]();
      await using again = await opened.another!();
      await again.migrate();
      assert.deepEqual(await again.read.repositories.find(REGISTRY, repository.name), repository);
    });

    it('never gives the id of what was deleted to something new', async () => {
      await using opened = await openMigrated(driver);
      const first = await addRepository(opened.store);
      await opened.store.transaction('alone', async ({ repositories }) => {
        await repositories.retire(first.id);
        await repositories.reap(first.id, 1);
      });
      const second = await addRepository(opened.store);
      assert.notEqual(second.id, first.id);
    });

    it('answers reads while a transaction is open, with what was committed before', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const { promise: enough, resolve: end } = Promise.withResolvers<void>();
      const open = store.transaction('alone', async ({ repositories }) => {
        await repositories.insert(newRepository({ name: 'open' }));
        await enough;
      });
      for (let turn = 0; turn < 5; turn++) await nextTurn();
      assert.equal(await store.read.repositories.find(REGISTRY, 'open'), undefined);
      end();
      await open;
      assert.ok(await store.read.repositories.find(REGISTRY, 'open'));
    });

    it('lets two instances write at the same time without losing a record', async () => {
      await using opened = await openMigrated(driver);
      await using another = await opened.another!();
      const names = Array.from({ length: 100 }, (_, index) => `shared/${index}`);
      await Promise.all(
        names.map(async (name, index) => {
          for (let turn = 0; turn < index; turn++) await nextTurn();
          await addRepository(index % 2 === 0 ? opened.store : another, { name });
        }),
      );
      const found = await another.read.repositories.findMany(REGISTRY, names);
      assert.equal(found.length, names.length);
    });

    it('is migrated once by two instances that start together', async () => {
      await using opened = await driver.open();
      await using another = await opened.another!();
      await Promise.all([opened.store.migrate(), another.migrate()]);
      await Promise.all([opened.store.ready(), another.ready()]);
      await addRepository(another);
    });
  });
}

/** For a driver whose store takes one writer at a time. */
export function describeOneWriter(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: one writer`, () => {
    it('waits for another instance that writes, and goes on serving reads meanwhile', async () => {
      await using opened = await openMigrated(driver);
      await using another = await opened.another!();
      const { promise: enough, resolve: end } = Promise.withResolvers<void>();
      const { promise: began, resolve: begin } = Promise.withResolvers<void>();
      const holding = another.transaction('alone', async () => {
        begin();
        await enough;
      });
      await began;
      const waiting = addRepository(opened.store, { name: 'waited' });
      for (let turn = 0; turn < 50; turn++) {
        await nextTurn();
        assert.deepEqual(await opened.store.read.repositories.page(REGISTRY, '', 10), []);
      }
      end();
      await holding;
      assert.equal((await waiting).name, 'waited');
    });
  });
}
