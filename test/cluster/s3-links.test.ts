import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BlobStore } from '../../src/core/blob-store.ts';
import { openS3BlobStore, type S3BlobStoreOptions } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import { contentOf, sealed } from '../contract/blob-store/driver.ts';
import { http } from '../support/http.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { newBucket } from './s3-bucket.ts';

describe('links to a bucket', { skip: whyNoS3Server() ?? false }, () => {
  let server: S3Server;
  let options: S3BlobStoreOptions;
  let store: BlobStore;
  before(async () => {
    server = await startS3Server();
    options = await newBucket(server);
    store = await openS3BlobStore(options);
  });
  after(() => server?.[Symbol.asyncDispose]());

  for (const size of [0, 500, 6_000_000]) {
    it(`give ${size} bytes to whoever has them`, async () => {
      const content = contentOf(size);
      const link = await store.downloadUrl!((await sealed(store, content)).location, 60);
      const answer = await http(link);
      assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/octet-stream']);
      assert.ok(answer.body.equals(content));
      if (size === 0) return;
      const range = await http(link, { headers: { Range: 'bytes=10-19' } });
      assert.equal(range.status, 206);
      assert.ok(range.body.equals(content.subarray(10, 20)));
    });
  }

  it('are good for one blob, and for a time', async () => {
    const [one, two] = [await sealed(store, contentOf(10)), await sealed(store, contentOf(10))];
    const link = await store.downloadUrl!(one.location, 60);
    assert.equal((await http(link.replace(one.uploadId, two.uploadId))).status, 403);
    assert.equal((await http(link.replace('X-Amz-Expires=60', 'X-Amz-Expires=6000'))).status, 403);
    const brief = await store.downloadUrl!(one.location, 1);
    while ((await http(brief)).status === 200) await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await http(brief)).status, 403);
  });

  it('name the host that clients know, or are not given at all', async () => {
    const { location } = await sealed(store, contentOf(10));
    await using known = await openS3BlobStore({ ...options, publicEndpoint: 'https://layers.example.com' });
    assert.match(await known.downloadUrl!(location, 60), /^https:\/\/layers\.example\.com\/bucket-/);
    await using none = await openS3BlobStore({ ...options, links: false });
    assert.equal(none.downloadUrl, undefined);
  });

  it('say why a bucket cannot be used', async () => {
    const refused = (change: Partial<S3BlobStoreOptions>, words: RegExp) =>
      assert.rejects(openS3BlobStore({ ...options, ...change }), words);
    await refused({ bucket: 'missing' }, /There is no bucket missing at http/);
    const credentials = { accessKeyId: 'gantry:test', secretAccessKey: 'wrong' };
    await refused({ credentials }, /may not be used with these credentials/);
  });
});
