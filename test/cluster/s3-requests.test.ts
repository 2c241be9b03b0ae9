import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { BlobStore } from '../../src/core/blob-store.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { type FaultyS3, startFaultyS3 } from '../../src/drivers/blobs/s3/faulty-s3.ts';
import { openS3BlobStore } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import { type CoreUnderTest, call, coreUnderTest, kindOf, partsOver, streamInto } from '../core/core-under-test.ts';
import { localEncryption } from '../core/local-encryption.ts';
import { blobOf } from '../support/images.ts';

/** Each is a round trip, and is paid for. */
describe('the requests to a bucket', () => {
  let s3: FaultyS3;
  let blobs: BlobStore;
  let core: CoreUnderTest;
  let asked: string[];
  beforeEach(async () => {
    s3 = await startFaultyS3();
    blobs = await openS3BlobStore(s3.options);
    core = await coreUnderTest();
    asked = [];
    s3.fault = ({ method = '', url = '' }) => {
      asked.push(`${method} ${/^\/bucket\/(\w+)/.exec(url)?.[1]}`);
      return false;
    };
  });
  afterEach(async () => {
    await core[Symbol.asyncDispose]();
    await blobs[Symbol.asyncDispose]();
    await s3[Symbol.asyncDispose]();
  });
  const takeAsked = () => asked.splice(0);
  const over = (store: BlobStore) => {
    const { metadata, now } = core.dependencies;
    const encryption = localEncryption({ metadata, blobs: store, now });
    return partsOver({ ...core.dependencies, blobs: store, encryption }).uploads;
  };

  it('of a small layer are one to look, one to keep what came, and three to finish', async () => {
    const uploads = over(blobs);
    const { uploadId } = await uploads.initiate(call, { repositoryName: 'one' });
    const upload = { repositoryName: 'one', uploadId };
    const { bytes, digest } = blobOf(randomBytes(3000));
    assert.deepEqual(takeAsked(), []);
    await streamInto(uploads, upload, bytes);
    assert.deepEqual(takeAsked(), ['GET uploads', 'PUT uploads']);
    await uploads.finish(call, { ...upload, digest: digest as Digest });
    assert.deepEqual(takeAsked(), ['HEAD uploads', 'PUT sealed', 'DELETE uploads']);
  });

  it('of a layer in parts are the same', async () => {
    const uploads = over(blobs);
    const { uploadId } = await uploads.initiate(call, { repositoryName: 'one' });
    const upload = { repositoryName: 'one', uploadId };
    const { bytes, digest } = blobOf(randomBytes(3000));
    const part = { firstByte: 0, lastByte: 2999, chunks: [new Uint8Array(bytes)], bytes: 3000 };
    await uploads.uploadPart(call, { ...upload, ...part });
    assert.deepEqual(takeAsked(), ['GET uploads', 'PUT uploads']);
    await uploads.complete(call, { ...upload, digests: [digest] });
    assert.deepEqual(takeAsked(), ['HEAD uploads', 'PUT sealed', 'DELETE uploads']);
  });

  it('find what another server has done, once for each request', async () => {
    const here = over(blobs);
    await using other = await openS3BlobStore(s3.options);
    const there = over(other);
    const { uploadId } = await here.initiate(call, { repositoryName: 'one' });
    const upload = { repositoryName: 'one', uploadId };
    await streamInto(here, upload, Buffer.from('one '));
    await streamInto(there, upload, Buffer.from('two '));
    takeAsked();
    await streamInto(here, upload, Buffer.from('three'));
    assert.deepEqual(takeAsked(), ['HEAD uploads', 'GET uploads', 'PUT uploads']);
    assert.equal(await there.status(call, upload).then(({ bytes }) => bytes), 13);
    takeAsked();
    const digest = blobOf('one two three').digest as Digest;
    assert.equal(await kindOf(there.finish(call, { ...upload, digest })), 'none');
    assert.deepEqual(takeAsked(), ['HEAD uploads', 'PUT sealed', 'DELETE uploads']);
  });

  it('are asked again when an append does not begin where it was thought to', async () => {
    const id = randomUUID();
    await using other = await openS3BlobStore(s3.options);
    assert.equal(await blobs.stagedBytes(id), 0);
    const appender = await other.appender(id, 0);
    appender.write(new Uint8Array(5));
    await appender.close(true);
    await assert.doesNotReject(blobs.appender(id, 5));
    await assert.rejects(blobs.appender(id, 0), { name: 'StagedOffsetError' });
  });
});
