import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CacheRule } from '../../../src/core/caching/cache-rule-records.ts';
import type { Secret } from '../../../src/core/secrets/secret-records.ts';
import { addRepository, type MetadataStoreDriver, minutesLater, openMigrated, someDigest } from './driver.ts';

const registry = { accountId: '123456789012', region: 'eu-west-1' };
const elsewhere = { ...registry, region: 'us-east-1' };

/** Rules of the pull-through cache, the secrets they name, and when tags were last compared with their upstream. */
export function describeCaching(driver: MetadataStoreDriver): void {
  const rule = (prefix: string, changes: Partial<CacheRule> = {}): CacheRule => ({
    registry,
    prefix,
    upstreamUrl: 'quay.io',
    createdAt: minutesLater(1),
    updatedAt: minutesLater(2),
    ...changes,
  });
  const secret = (name: string, changes: Partial<Secret> = {}): Secret => ({
    registry,
    name,
    arn: `arn:${name}`,
    sealedValue: new Uint8Array([1, 2, 3]),
    createdAt: minutesLater(1),
    updatedAt: minutesLater(2),
    ...changes,
  });

  describe(`${driver.name}: cache rules`, () => {
    it('keeps every setting, and the time of making when one is put again', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const full = rule('team/a', {
        upstreamPrefix: 'their/b',
        upstreamKind: 'ecr',
        credentialArn: 'arn:secret',
        customRoleArn: 'arn:role',
      });
      await store.transaction('alone', ({ cacheRules }) => cacheRules.put(full));
      assert.deepEqual(await store.read.cacheRules.find(registry, 'team/a'), full);
      const again = rule('team/a', { createdAt: minutesLater(9), updatedAt: minutesLater(9) });
      await store.transaction('alone', ({ cacheRules }) => cacheRules.put(again));
      const expected = { ...again, createdAt: full.createdAt };
      assert.deepEqual(await store.read.cacheRules.find(registry, 'team/a'), expected);
    });

    it('lists those of one registry by prefix and those of all, and deletes', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const [b, root, a] = [rule('b'), rule('ROOT'), rule('a/b')];
      const other = rule('a/b', { registry: elsewhere });
      await store.transaction('alone', async ({ cacheRules }) => {
        for (const each of [b, root, a, other]) await cacheRules.put(each);
      });
      const { cacheRules } = store.read;
      assert.deepEqual(await cacheRules.page(registry, '', 10), [root, a, b]);
      assert.deepEqual(await cacheRules.page(registry, 'ROOT', 1), [a]);
      assert.deepEqual(await cacheRules.all(), [root, a, b, other]);
      const remove = () => store.transaction('alone', (records) => records.cacheRules.delete(registry, 'a/b'));
      assert.deepEqual([await remove(), await remove()], [true, false]);
      assert.deepEqual(await cacheRules.all(), [root, b, other]);
      assert.equal(await cacheRules.find(registry, 'a/b'), undefined);
    });
  });

  describe(`${driver.name}: secrets`, () => {
    it('finds by name and by ARN, and keeps both when the value changes', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const first = secret('hub');
      await store.transaction('alone', ({ secrets }) => secrets.put(first));
      assert.deepEqual(await store.read.secrets.find(registry, 'hub'), first);
      assert.deepEqual(await store.read.secrets.findByArn('arn:hub'), first);
      const changed = secret('hub', { arn: 'arn:other', sealedValue: new Uint8Array([9]), updatedAt: minutesLater(8) });
      await store.transaction('alone', ({ secrets }) => secrets.put(changed));
      assert.deepEqual(await store.read.secrets.find(registry, 'hub'), { ...changed, arn: first.arn });
      assert.equal(await store.read.secrets.findByArn('arn:other'), undefined);
    });

    it('lists those of one registry by name, and deletes', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const [b, a, other] = [secret('b'), secret('a'), secret('a', { registry: elsewhere, arn: 'arn:elsewhere' })];
      await store.transaction('alone', async ({ secrets }) => {
        for (const each of [b, a, other]) await secrets.put(each);
      });
      assert.deepEqual(await store.read.secrets.list(registry), [a, b]);
      const remove = () => store.transaction('alone', ({ secrets }) => secrets.delete(registry, 'a'));
      assert.deepEqual([await remove(), await remove()], [true, false]);
      assert.deepEqual(await store.read.secrets.list(registry), [b]);
      assert.deepEqual(await store.read.secrets.list(elsewhere), [other]);
    });
  });

  describe(`${driver.name}: cache checks`, () => {
    it('keeps the last of each tag, lists and counts them', async () => {
      await using opened = await openMigrated(driver);
      const { store } = opened;
      const [one, other] = [await addRepository(store, { registry }), await addRepository(store, { registry })];
      const check = (repositoryId: number, tag: string, minutes: number) => ({
        repositoryId,
        tag,
        digest: someDigest(),
        checkedAt: minutesLater(minutes),
      });
      const [a, b, c] = [check(one.id, 'a', 1), check(one.id, 'b', 3), check(other.id, 'a', 2)];
      const later = check(one.id, 'a', 2);
      await store.transaction('alone', async ({ cacheChecks }) => {
        for (const each of [b, a, c, later]) await cacheChecks.put(each);
      });
      const { cacheChecks } = store.read;
      assert.deepEqual(await cacheChecks.find(one.id, 'a'), later);
      assert.equal(await cacheChecks.find(other.id, 'b'), undefined);
      assert.deepEqual(await cacheChecks.page(one.id, '', 10), [later, b]);
      assert.deepEqual(await cacheChecks.page(one.id, 'a', 1), [b]);
      assert.deepEqual(await cacheChecks.counts(), [
        { repositoryId: one.id, tags: 2, checkedAt: b.checkedAt },
        { repositoryId: other.id, tags: 1, checkedAt: c.checkedAt },
      ]);
    });
  });
}
