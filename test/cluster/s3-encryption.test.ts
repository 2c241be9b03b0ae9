import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { BlobStore } from '../../src/core/blob-store.ts';
import { openS3BlobStore } from '../../src/drivers/blobs/s3/s3-blob-store.ts';
import { readAll, sealed } from '../contract/blob-store/driver.ts';
import { describeSealing } from '../contract/blob-store/sealing.ts';
import { refusedWith } from '../contract/key-service/keys.ts';
import { type S3Server, startS3Server, whyNoS3Server } from '../support/s3-server.ts';
import { contentOfBucket, newBucket } from './s3-bucket.ts';

const skip = whyNoS3Server() ?? false;
const MIB = 1024 * 1024;
const keyId = 'arn:aws:kms:us-east-1:111122223333:key/0f5a4b0e-5c61-4f0a-9a57-1f2c6d3f5a10';

describe('a bucket that encrypts what it is asked to', { skip }, () => {
  let server: S3Server;
  before(async () => {
    server = await startS3Server({ isEncrypting: true });
  });
  after(() => server?.[Symbol.asyncDispose]());

  const driver = {
    name: 's3 with sse=AES256',
    async open() {
      const options = { ...(await newBucket(server)), sse: 'AES256' } as const;
      const store = await openS3BlobStore(options);
      return {
        store,
        reopen: () => openS3BlobStore(options),
        [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      };
    },
  };
  describeSealing(driver);

  it('keeps nothing that can be read on its disk', async () => {
    await using opened = await driver.open();
    const marks = ['a small layer that is here', 'a large layer that is here'];
    const [small, large] = [Buffer.from(marks[0]!), Buffer.concat([randomBytes(9 * MIB), Buffer.from(marks[1]!)])];
    for (const content of [small, large]) {
      const { location } = await sealed(opened.store, content);
      assert.ok((await readAll(opened.store, location))?.equals(content));
    }
    for (const mark of marks) assert.equal(await isOnDisk(server, mark), false, mark);
  });
});

describe('a bucket that does not encrypt', { skip }, () => {
  let server: S3Server;
  let store: BlobStore;
  before(async () => {
    server = await startS3Server();
    store = await openS3BlobStore(await newBucket(server));
  });
  after(async () => {
    await store?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it('is told apart at the start when it was to', async () => {
    const options = { ...(await newBucket(server)), sse: 'AES256' } as const;
    const words =
      /does not encrypt when it is asked to \(Server-side encryption is not supported\.\): leave out sse=AES256/;
    await assert.rejects(openS3BlobStore(options), words);
  });

  it('keeps readable what it was not told to encrypt', async () => {
    const mark = 'a layer that anybody can read';
    await sealed(store, Buffer.from(mark));
    assert.equal(await isOnDisk(server, mark), true);
  });

  for (const [encryptionType, words] of [
    ['KMS', /Server-side encryption is not supported/],
    ['KMS_DSSE', /The encryption method specified is not supported/],
  ] as const) {
    it(`refuses ${encryptionType} in its own words, and has kept nothing`, async () => {
      const options = await newBucket(server);
      await using keyed = await openS3BlobStore(options);
      assert.ok(keyed.encrypting?.by === 'named-keys');
      const kept = keyed.encrypting.under({ keyId, encryptionType, context: {} });
      for (const content of [Buffer.from('small'), randomBytes(9 * MIB)]) {
        const push = sealed({ ...keyed, appender: kept.appender.bind(kept) }, content);
        assert.match(await refusedWith(push, ['UnsupportedOperationException']), words);
      }
      assert.deepEqual(await contentOfBucket(options), { objects: [], multiparts: [] });
    });
  }
});

/** Whether any file of the store holds these bytes. */
async function isOnDisk({ folder }: S3Server, bytes: string): Promise<boolean> {
  const found = await promisify(execFile)('grep', ['-rlaF', bytes, folder]).catch((error: { code?: number }) => error);
  if ('code' in found && found.code !== 1) throw found;
  return 'stdout' in found && found.stdout !== '';
}
