import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type MetadataStoreDriver, openMigrated, REGISTRY } from './driver.ts';

export function describeAccountSettings(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: account settings`, () => {
    it('puts and replaces a value of one registry', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const find = (registry = REGISTRY, name = 'ONE') => store.read.accountSettings.find(registry, name);
      const put = (name: string, value: string, registry = REGISTRY) =>
        store.transaction('alone', ({ accountSettings }) => accountSettings.put(registry, name, value));
      const elsewhere = { ...REGISTRY, region: 'eu-west-1' };
      assert.equal(await find(), undefined);
      await put('OTHER', 'other');
      await put('ONE', 'elsewhere', elsewhere);
      for (const value of ['first', 'second', 'second', '']) {
        await put('ONE', value);
        assert.equal(await find(), value);
      }
      assert.equal(await find(elsewhere), 'elsewhere');
      assert.equal(await find(REGISTRY, 'OTHER'), 'other');
      assert.equal(await find({ ...REGISTRY, accountId: '111122223333' }), undefined);
    });
  });
}
