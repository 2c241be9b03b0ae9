import { after, before, describe } from 'node:test';
import { openS3BlobStore } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import { describeReading } from '../contract/blob-store/reading.ts';
import { describeReadingStaged } from '../contract/blob-store/reading-staged.ts';
import { describeSealing } from '../contract/blob-store/sealing.ts';
import { describeStaging } from '../contract/blob-store/staging.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { newBucket } from './s3-bucket.ts';

const skip = whyNoS3Server();

describe('a blob store in a bucket', { skip: skip ?? false }, () => {
  let server: S3Server;
  before(async () => {
    server = await startS3Server();
  });
  after(() => server?.[Symbol.asyncDispose]());

  const driver = {
    name: 's3',
    async open() {
      const options = await newBucket(server);
      const store = await openS3BlobStore(options);
      return {
        store,
        reopen: () => openS3BlobStore(options),
        [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      };
    },
  };
  describeStaging(driver);
  describeSealing(driver);
  describeReading(driver);
  describeReadingStaged(driver);
});
