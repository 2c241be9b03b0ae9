import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { collectGarbage } from '../../src/core/garbage/collect-garbage.ts';
import { openS3BlobStore } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import { append } from '../contract/blob-store/driver.ts';
import { call, coreUnderTest, partsOver, streamInto } from '../core/core-under-test.ts';
import { localEncryption } from '../core/local-encryption.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { contentOfBucket, newBucket, withClient } from './s3-bucket.ts';

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3600 * 1000;

describe('garbage in a bucket', { skip: whyNoS3Server() ?? false }, () => {
  let server: S3Server;
  before(async () => {
    server = await startS3Server();
  });
  after(() => server?.[Symbol.asyncDispose]());

  it('is aborted multipart uploads too, in time, also those that no state names; others keep theirs', async () => {
    const options = await newBucket(server);
    await using blobs = await openS3BlobStore(options);
    await using core = await coreUnderTest();
    let ahead = 0;
    const now = () => new Date(Date.now() + ahead);
    const { metadata } = core.dependencies;
    const encryption = localEncryption({ metadata, blobs, now });
    const dependencies = { ...core.dependencies, blobs, encryption, now };
    const { uploads } = partsOver(dependencies);

    const { uploadId } = await uploads.initiate(call, { repositoryName: 'one' });
    await streamInto(uploads, { repositoryName: 'one', uploadId }, randomBytes(12 * MIB));
    const unrecorded = randomUUID();
    await append(blobs, unrecorded, 0, randomBytes(12 * MIB));
    const stateless = `data/${randomUUID()}/00ff`;
    const elsewhere = 'another-registry/data/file';
    await withClient(options, async (client) => {
      for (const Key of [`${options.prefix}/${stateless}`, elsewhere]) {
        await client.send(new CreateMultipartUploadCommand({ Bucket: options.bucket, Key }));
      }
    });
    const others = [elsewhere.slice(options.prefix.length + 1)];
    const before = await contentOfBucket(options);
    assert.equal(before.multiparts.length, 4, before.multiparts.join(' '));

    await collectGarbage(dependencies);
    assert.deepEqual(await contentOfBucket(options), before, 'all of it is young');
    ahead = 2 * DAY_MS;
    const report = await collectGarbage(dependencies);
    assert.deepEqual([report.uploads, report.orphans], [1, 2]);
    assert.deepEqual(await contentOfBucket(options), { objects: [], multiparts: others });
    assert.equal(await metadata.read.uploads.exists(uploadId), false);
  });
});
