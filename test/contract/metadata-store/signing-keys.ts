import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type MetadataStoreDriver, minutesLater, openMigrated } from './driver.ts';

export function describeSigningKeys(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: signing keys`, () => {
    it('gives the keys of a purpose, newest first, bytes and all', async () => {
      await using opened = await openMigrated(driver);
      const key = (id: string, minutes: number, purpose: 'registry-token' | 'download-link' = 'registry-token') => ({
        id,
        purpose,
        secret: new Uint8Array([0, 255, minutes]),
        createdAt: minutesLater(minutes),
      });
      const [middle, newest, oldest, link] = [key('b', 2), key('c', 3), key('a', 1), key('d', 9, 'download-link')];
      const { store } = opened;
      assert.deepEqual(await store.read.signingKeys.all('registry-token'), []);
      await store.transaction('alone', async ({ signingKeys }) => {
        for (const each of [middle, newest, oldest, link]) await signingKeys.insert(each);
      });
      assert.deepEqual(await store.read.signingKeys.all('registry-token'), [newest, middle, oldest]);
      assert.deepEqual(await store.read.signingKeys.all('download-link'), [link]);
      await assert.rejects(store.transaction('alone', ({ signingKeys }) => signingKeys.insert(newest)));
    });
  });
}
