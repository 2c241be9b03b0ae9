import assert from 'node:assert/strict';
import type { BlobStore } from '../../src/core/blob-store.ts';
import { openS3BlobStore } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import { startKeyedS3 } from '../support/keyed-s3.ts';
import { KmsKeys } from '../support/kms-keys.ts';
import type { BlobStoreDriver } from './blob-store/driver.ts';
import { keptStore } from './blob-store/encrypted.ts';
import { describeReading } from './blob-store/reading.ts';
import { describeSealing } from './blob-store/sealing.ts';
import { describeStaging } from './blob-store/staging.ts';

const driver: BlobStoreDriver = {
  name: 's3, under a key',
  async open() {
    const keys = new KmsKeys({ region: 'us-east-1', accountId: '111122223333' });
    const named = { keyId: keys.create(), encryptionType: 'KMS', context: { 'aws:ecr:arn': 'any' } } as const;
    const s3 = await startKeyedS3(keys);
    const place = { bucket: 'bucket', prefix: '', region: 'us-east-1', publicEndpoint: undefined, pathStyle: true };
    const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
    const another = async (): Promise<BlobStore> => {
      const store = await openS3BlobStore({ ...place, endpoint: s3.endpoint, credentials, links: false });
      const { encrypting } = store;
      assert.ok(encrypting?.by === 'named-keys');
      return keptStore(store, () => encrypting.under(named));
    };
    const store = await another();
    return {
      store,
      reopen: another,
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await s3[Symbol.asyncDispose]();
        const seals = [...s3.seals()].filter(([key]) => key !== 'ready');
        for (const [key, seal] of seals) assert.equal(seal?.keyId, named.keyId, `${key} is not encrypted`);
      },
    };
  },
};

describeStaging(driver);
describeSealing(driver);
describeReading(driver);
