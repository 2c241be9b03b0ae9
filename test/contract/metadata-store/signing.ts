import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SignerProfile } from '../../../src/core/signing/signer-profile-records.ts';
import type { ImageSigning, SigningRule } from '../../../src/core/signing/signing-records.ts';
import { addImage, addRepository, type MetadataStoreDriver, minutesLater, openMigrated, REGISTRY } from './driver.ts';

const other = { ...REGISTRY, region: 'eu-west-1' };

const profile = (name: string, changes: Partial<SignerProfile> = {}): SignerProfile => ({
  registry: REGISTRY,
  arn: `arn:${name}`,
  name,
  keyType: 'ec-256',
  certificateChain: 'é',
  sealedPrivateKey: new Uint8Array([1, 0, 255]),
  createdAt: minutesLater(1),
  ...changes,
});

/** Drivers give bytes as arrays of one kind or another. */
const plain = (found: SignerProfile | undefined) =>
  found && { ...found, sealedPrivateKey: new Uint8Array(found.sealedPrivateKey) };

export function describeSigning(driver: MetadataStoreDriver): void {
  describe(`${driver.name}: signing`, () => {
    it('keeps the rules of each registry, replaces and deletes them', async () => {
      await using opening = await openMigrated(driver);
      const { store } = opening;
      const { signing } = store.read;
      const put = (registry: typeof REGISTRY, rules: readonly SigningRule[]) =>
        store.transaction('registry', (records) => records.signing.putRules(registry, rules));
      const remove = () => store.transaction('registry', (records) => records.signing.deleteRules(REGISTRY));
      assert.equal(await signing.rules(REGISTRY), undefined);
      assert.equal(await remove(), false);
      const rules = [{ profileArn: 'arn:é', filters: ['prod/*'] }];
      await put(REGISTRY, [{ profileArn: 'before', filters: [] }]);
      await put(REGISTRY, rules);
      await put(other, []);
      assert.deepEqual(await signing.rules(REGISTRY), rules);
      assert.deepEqual(await signing.rules(other), []);
      const all = await signing.allRules();
      assert.deepEqual(all, [
        { registry: other, rules: [] },
        { registry: REGISTRY, rules },
      ]);
      assert.equal(await remove(), true);
      assert.equal(await signing.rules(REGISTRY), undefined);
      assert.deepEqual(await signing.rules(other), []);
    });

    it('keeps how far the signing of an image has come, as long as there is the image', async () => {
      await using opening = await openMigrated(driver);
      const { store } = opening;
      const repository = await addRepository(store);
      const [image, another] = [await addImage(store, repository.id), await addImage(store, repository.id)];
      const put = (imageId: number, changes: Partial<ImageSigning> = {}) =>
        store.transaction('repository', async (records) => {
          await records.repositories.findById(repository.id);
          const begun = { profileArn: 'arn:b', status: 'IN_PROGRESS', updatedAt: minutesLater(1) } as const;
          await records.signing.putStatus(imageId, { ...begun, ...changes });
        });
      await put(image.id);
      await put(another.id);
      const failed = { status: 'FAILED', failureCode: 'é', failureReason: 'why', updatedAt: minutesLater(2) } as const;
      await put(image.id, failed);
      await put(image.id, { profileArn: 'arn:a', status: 'COMPLETE' });
      const complete = { profileArn: 'arn:a', status: 'COMPLETE', updatedAt: minutesLater(1) };
      assert.deepEqual(await store.read.signing.statusesOf(image.id), [complete, { profileArn: 'arn:b', ...failed }]);
      await put(image.id, { updatedAt: minutesLater(3) });
      const again = { profileArn: 'arn:b', status: 'IN_PROGRESS', updatedAt: minutesLater(3) };
      assert.deepEqual(await store.read.signing.statusesOf(image.id), [complete, again]);
      await store.transaction('alone', ({ images }) => images.delete(image, minutesLater(9)));
      assert.deepEqual(await store.read.signing.statusesOf(image.id), []);
      await put(image.id);
      assert.deepEqual(await store.read.signing.statusesOf(image.id), [], 'the image is gone');
      assert.equal((await store.read.signing.statusesOf(another.id)).length, 1);
    });

    it('keeps signer profiles', async () => {
      await using opening = await openMigrated(driver);
      const { store } = opening;
      const { signerProfiles } = store.read;
      const insert = (given: SignerProfile) =>
        store.transaction('registry', (records) => records.signerProfiles.insert(given));
      assert.equal(await signerProfiles.find('arn:one'), undefined);
      const [one, two] = [profile('one'), profile('two', { keyType: 'rsa-3072', retiredAt: minutesLater(4) })];
      const elsewhere = profile('one', { registry: other, arn: 'arn:elsewhere' });
      for (const each of [two, one, elsewhere]) await insert(each);
      assert.deepEqual(plain(await signerProfiles.find('arn:two')), two);
      assert.deepEqual((await signerProfiles.list(REGISTRY)).map(plain), [one, two]);
      assert.deepEqual((await signerProfiles.list(other)).map(plain), [elsewhere]);
      await assert.rejects(insert({ ...one, arn: 'arn:other' }), 'the name is taken');
      await assert.rejects(insert({ ...one, name: 'other' }), 'the ARN is taken');
      await store.transaction('registry', (records) => records.signerProfiles.retire('arn:one', minutesLater(5)));
      assert.deepEqual(plain(await signerProfiles.find('arn:one')), { ...one, retiredAt: minutesLater(5) });
      const remove = () => store.transaction('registry', (records) => records.signerProfiles.delete('arn:one'));
      assert.deepEqual([await remove(), await remove()], [true, false]);
      assert.deepEqual((await signerProfiles.list(REGISTRY)).map(plain), [two]);
    });

    it('keeps one authority of each registry', async () => {
      await using opening = await openMigrated(driver);
      const { store } = opening;
      const { signerProfiles } = store.read;
      const authority = {
        certificate: 'é',
        sealedPrivateKey: new Uint8Array([7, 0]),
        createdAt: minutesLater(1),
      };
      const insert = () =>
        store.transaction('registry', (records) => records.signerProfiles.insertAuthority(REGISTRY, authority));
      assert.equal(await signerProfiles.authority(REGISTRY), undefined);
      await insert();
      const found = await signerProfiles.authority(REGISTRY);
      assert.deepEqual({ ...found, sealedPrivateKey: new Uint8Array(found!.sealedPrivateKey) }, authority);
      assert.equal(await signerProfiles.authority(other), undefined);
      await assert.rejects(insert());
    });
  });
}
