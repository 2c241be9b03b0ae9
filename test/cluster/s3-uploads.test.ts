import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CompleteMultipartUploadCommand, ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import type { BlobStore } from '../../src/core/blob-store.ts';
import { digestOf } from '../../src/core/values/digest.ts';
import { openS3BlobStore, type S3BlobStoreOptions } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import { all, append, contentOf, readAll, sealed } from '../contract/blob-store/driver.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { contentOfBucket, newBucket, withClient } from './s3-bucket.ts';

const MIB = 1024 * 1024;

describe('uploads to a bucket', { skip: whyNoS3Server() ?? false }, () => {
  let server: S3Server;
  let options: S3BlobStoreOptions;
  let store: BlobStore;
  let other: BlobStore;
  before(async () => {
    server = await startS3Server();
  });
  after(() => server?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    options = await newBucket(server);
    store = await openS3BlobStore(options);
    other = await openS3BlobStore(options);
  });

  it('go on in turns on two nodes, whatever the sizes, and leave the blob and its name alone', async () => {
    const id = randomUUID();
    const sizes = [3, 2 * MIB, 6 * MIB, 300, 21 * MIB, 4 * MIB, 1, 2 * MIB];
    const content = contentOf(sizes.reduce((sum, size) => sum + size, 0));
    let at = 0;
    for (const [index, size] of sizes.entries()) {
      const node = index % 2 === 0 ? store : other;
      assert.equal(await node.stagedBytes(id), at);
      await append(node, id, at, content.subarray(at, at + size));
      at += size;
    }
    assert.equal(await store.digest(id, 'sha256'), digestOf(content));
    const location = await other.seal(id, digestOf(content), content.byteLength);
    assert.ok(content.equals((await readAll(store, location!))!));
    assert.equal(await store.seal(id, digestOf(content), content.byteLength), location);
    const { objects, multiparts } = await contentOfBucket(options);
    assert.deepEqual([objects.length, multiparts], [2, []], objects.join(' '));
    assert.deepEqual(await all(store.staged()), []);
  });

  it('are finished where they are: neither read nor copied by the node that saw every byte', async () => {
    const id = randomUUID();
    const content = contentOf(20 * MIB);
    await append(store, id, 0, content);
    const [before] = (await contentOfBucket(options)).multiparts;
    assert.equal(await store.digest(id, 'sha256'), digestOf(content));
    assert.deepEqual((await contentOfBucket(options)).multiparts, [before], 'the digest was known');
    await store.seal(id, digestOf(content), content.byteLength);
    assert.ok((await contentOfBucket(options)).objects.includes(before!));
  });

  for (const [size, kept] of [
    [12 * MIB, 8 * MIB],
    [20 * MIB, 8 * MIB],
    [20 * MIB, 11 * MIB],
    [20 * MIB, 1000],
    [20 * MIB, 17 * MIB],
    [20 * MIB + 5, 20 * MIB + 1],
  ] as const) {
    it(`cut back from ${size} to ${kept} bytes go on, also on another node`, async () => {
      for (const more of [0, 70, 9 * MIB]) {
        const id = randomUUID();
        const content = contentOf(size);
        const expected = Buffer.concat([content.subarray(0, kept), contentOf(more)]);
        await append(store, id, 0, content.subarray(0, 20 * MIB));
        await append(store, id, Math.min(size, 20 * MIB), content.subarray(20 * MIB));
        await store.truncate(id, kept);
        assert.equal(await other.stagedBytes(id), kept);
        await append(other, id, kept, expected.subarray(kept));
        if (more > 70) assert.equal(await store.digest(id, 'sha256'), digestOf(expected));
        const location = await store.seal(id, digestOf(expected), expected.byteLength);
        assert.ok(expected.equals((await readAll(other, location!))!), `${more} more`);
        assert.deepEqual(await all(store.staged()), []);
      }
    });
  }

  it('go on after their node was killed, from what it had sent', async () => {
    const script = join(import.meta.dirname, 'stages-without-end.ts');
    const node = fork(script, [JSON.stringify(options)], { execArgv: [] });
    const [id] = (await once(node, 'message')) as [string];
    while ((await other.stagedBytes(id)) === 0) await sleep(50);
    node.kill('SIGKILL');
    await once(node, 'close');
    const staged = await store.stagedBytes(id);
    assert.ok(staged >= 64 * MIB, String(staged));
    const content = Buffer.alloc(staged + 1000, 'a');
    await append(store, id, staged, content.subarray(staged));
    assert.equal(await store.digest(id, 'sha256'), digestOf(content));
    const location = await store.seal(id, digestOf(content), content.byteLength);
    assert.deepEqual(await store.stat(location!), { bytes: content.byteLength });
    assert.deepEqual((await contentOfBucket(options)).multiparts, []);
  });

  it('are sealed when a crash came after the parts were put together', async () => {
    const id = randomUUID();
    const content = contentOf(12 * MIB);
    await append(store, id, 0, content);
    await withClient(options, async (client) => {
      const Bucket = options.bucket;
      const { Uploads: [{ Key, UploadId } = {}] = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      const { Parts = [] } = await client.send(new ListPartsCommand({ Bucket, Key, UploadId }));
      const MultipartUpload = { Parts: Parts.map(({ ETag, PartNumber }) => ({ ETag, PartNumber })) };
      await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
    });
    assert.equal(await other.digest(id, 'sha256'), digestOf(content));
    const location = await other.seal(id, digestOf(content), content.byteLength);
    assert.ok(content.equals((await readAll(store, location!))!));
  });

  it('are left as they were by an append that is abandoned, and go on on another node', async () => {
    const id = randomUUID();
    const content = contentOf(9 * MIB);
    await append(store, id, 0, content.subarray(0, 1000));
    const abandoned = await store.appender(id, 1000);
    for (let at = 0; at < 90; at++) if (!abandoned.write(Buffer.alloc(MIB))) await abandoned.drained();
    const ending = abandoned.abandon?.();
    await assert.rejects(abandoned.drained(), /abandoned/);
    await append(other, id, await other.stagedBytes(id), content.subarray(1000));
    await ending;
    await assert.rejects(abandoned.close(true), /abandoned/);
    assert.equal(await other.digest(id, 'sha256'), digestOf(content));
    const location = await other.seal(id, digestOf(content), content.byteLength);
    assert.ok(content.equals((await readAll(store, location!))!));
  });

  it('never acknowledged are told as remains, and discarded; what is sealed stays', async () => {
    const lost = randomUUID();
    const appender = await store.appender(lost, 0);
    for (let at = 0; at < 40; at++) if (!appender.write(Buffer.alloc(MIB))) await appender.drained();
    const blob = await sealed(store, contentOf(7 * MIB));
    while ((await contentOfBucket(options)).multiparts.length === 0) await sleep(20);
    assert.deepEqual(
      (await all(other.staged())).map(({ uploadId, bytes }) => [uploadId, bytes]),
      [[lost, 0]],
    );
    await other.discard(lost);
    await other.discard(blob.uploadId);
    const { objects, multiparts } = await contentOfBucket(options);
    assert.deepEqual([objects.length, multiparts], [2, []], objects.join(' '));
    assert.deepEqual(await store.stat(blob.location), { bytes: 7 * MIB });
    await assert.rejects(appender.close(true), 'its multipart upload is gone');
  });

  it('deleted many at a time leave nothing', async () => {
    const blobs = [];
    for (let at = 0; at < 60; at += 20) {
      blobs.push(...(await Promise.all(Array.from({ length: 20 }, () => sealed(store, contentOf(50))))));
    }
    blobs.push(await sealed(store, contentOf(6 * MIB)));
    await store.deleteMany!(blobs.map(({ location }) => location));
    await store.deleteMany!(blobs.map(({ location }) => location));
    assert.deepEqual((await contentOfBucket(options)).objects, []);
  });
});
