import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { BlobStore, KeptBytes, NamedKey } from '../../../core/blob-store.ts';
import { KeyServiceError } from '../../../core/encryption/key-service.ts';
import { digestOf } from '../../../core/values/digest.ts';
import { answer, answerError, type FaultyS3, startFaultyS3 } from './faulty-s3.ts';
import { openS3BlobStore } from './s3-blob-store.ts';

const MIB = 1024 * 1024;
const keyId = 'arn:aws:kms:us-east-1:111122223333:key/0f5a4b0e-5c61-4f0a-9a57-1f2c6d3f5a10';
const repository = 'arn:aws:ecr:us-east-1:111122223333:repository/some/image';
const key: NamedKey = {
  keyId,
  encryptionType: 'KMS',
  context: { 'aws:ecr:arn': repository, 'aws:s3:arn': 'arn:aws:s3:::bucket' },
};
const SSE = 'x-amz-server-side-encryption';

describe('a bucket that encrypts', () => {
  let s3: FaultyS3;
  let store: BlobStore;
  /** Headers about encryption of all that made an object, by method and kind. */
  let asked: { what: string; sse: Record<string, unknown> }[];
  beforeEach(async () => {
    s3 = await startFaultyS3();
    asked = [];
    s3.fault = encrypting;
    store = await openS3BlobStore(s3.options);
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await s3[Symbol.asyncDispose]();
  });

  /** As S3: what was asked for is said again in the answer. Multipart uploads are answered, and their parts kept nowhere. */
  const encrypting = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { method, url = '', headers } = request;
    const sse = Object.entries(headers).filter(([name]) => name.startsWith(SSE));
    const isPart = url.includes('partNumber');
    const isBegin = /[?&]uploads/.test(url);
    if (method === 'PUT' || isBegin) {
      asked.push({ what: isPart ? 'part' : `${method}`, sse: Object.fromEntries(sse) });
    }
    for (const [name, value] of sse) response.setHeader(name, String(value));
    if (method !== 'POST') return isPart && answer(response, 200);
    const kind = isBegin ? 'InitiateMultipartUploadResult' : 'CompleteMultipartUploadResult';
    return answer(response, 200, Buffer.from(`<${kind}><UploadId>one</UploadId></${kind}>`));
  };
  const under = (named: NamedKey): KeptBytes => {
    assert.equal(store.encrypting?.by, 'named-keys');
    return store.encrypting?.by === 'named-keys' ? store.encrypting.under(named) : store;
  };
  const push = async (kept: KeptBytes, content: Buffer) => {
    const id = randomUUID();
    const appender = await kept.appender(id, 0);
    if (!appender.write(Buffer.from(content))) await appender.drained();
    await appender.close(true);
    return (await kept.seal(id, digestOf(content), content.length))!;
  };
  const refusedWith = async (call: Promise<unknown>, code: string, message = /\S/) => {
    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof KeyServiceError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  };

  it('is told the key and the context for everything of an upload, and nothing for reading', async () => {
    const small = randomBytes(1000);
    const location = await push(under(key), small);
    await push(under(key), randomBytes(11 * MIB));
    const context = Buffer.from(JSON.stringify({ 'aws:ecr:arn': repository })).toString('base64');
    const headers = { [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: keyId, [`${SSE}-context`]: context };
    const made = asked.filter(({ what }) => what !== 'part');
    assert.deepEqual(new Set(made.map(({ what }) => what)), new Set(['PUT', 'POST']));
    for (const { sse } of made) assert.deepEqual(sse, headers);
    for (const { what, sse } of asked) if (what === 'part') assert.deepEqual(sse, {});
    await using reader = await under(key).read(location);
    assert.deepEqual(Buffer.from((await reader?.next()) ?? ''), small);
  });

  it('is told to encrypt twice, or with a key of the bucket, where that was asked for', async () => {
    await push(under({ ...key, encryptionType: 'KMS_DSSE' }), randomBytes(10));
    assert.deepEqual(new Set(asked.map(({ sse }) => sse[SSE])), new Set(['aws:kms:dsse']));
    asked = [];
    await using other = await openS3BlobStore({ ...s3.options, bucketKey: true });
    assert.ok(other.encrypting?.by === 'named-keys');
    await push(other.encrypting.under(key), randomBytes(10));
    await push(other.encrypting.under({ ...key, encryptionType: 'KMS_DSSE' }), randomBytes(10));
    const bucketKeys = asked.map(({ sse }) => [sse[SSE], sse[`${SSE}-bucket-key-enabled`]].join(' '));
    assert.deepEqual([...new Set(bucketKeys)], ['aws:kms true', 'aws:kms:dsse ']);
  });

  it('is asked for nothing unless told so, and then for all that has no key', async () => {
    await push(store, randomBytes(10));
    for (const { sse } of asked) assert.deepEqual(sse, {});
    asked = [];
    await using other = await openS3BlobStore({ ...s3.options, sse: 'AES256' });
    await push(other, randomBytes(11 * MIB));
    const made = asked.filter(({ what }) => what !== 'part');
    assert.ok(made.length >= 3, String(made.length));
    for (const { sse } of made) assert.deepEqual(sse, { [SSE]: 'AES256' });
  });

  it('is refused at the start when it cannot and was to', async () => {
    s3.fault = ({ headers }, response) => headers[SSE] !== undefined && answerError(response, 501, 'NotImplemented');
    await assert.rejects(
      openS3BlobStore({ ...s3.options, sse: 'AES256' }),
      /does not encrypt .*: leave out sse=AES256/,
    );
  });

  for (const bytes of [10, 11 * MIB]) {
    it(`that leaves out what it does not know keeps nothing of ${bytes} bytes`, async () => {
      const deleted: string[] = [];
      s3.fault = (request, response) => {
        if (request.method === 'DELETE') deleted.push(request.url ?? '');
        const { headers } = request;
        for (const name of Object.keys(headers)) if (name.startsWith(SSE)) delete headers[name];
        return encrypting(request, response);
      };
      await refusedWith(push(under(key), randomBytes(bytes)), 'UnsupportedOperationException', /did not encrypt under/);
      assert.equal(deleted.length, 1, deleted.join(' '));
    });
  }

  for (const [status, name, code] of [
    [400, 'KMS.DisabledException', 'DisabledException'],
    [400, 'KMS.KMSInvalidStateException', 'KMSInvalidStateException'],
    [404, 'KMS.NotFoundException', 'NotFoundException'],
    [501, 'NotImplemented', 'UnsupportedOperationException'],
    [400, 'InvalidArgument', 'UnsupportedOperationException'],
  ] as const) {
    it(`that answers ${name} to a push refuses for its key`, async () => {
      s3.fault = ({ method }, response) => method === 'PUT' && answerError(response, status, name);
      await refusedWith(push(under(key), randomBytes(10)), code);
    });
  }

  it('that may not use the key for reading refuses for its key, and not as one that has lost the bytes', async () => {
    const location = await push(under(key), randomBytes(10));
    for (const [status, name] of [
      [400, 'KMS.DisabledException'],
      [404, 'KMS.NotFoundException'],
    ] as const) {
      s3.fault = ({ method, url }, response) =>
        method === 'GET' && !url?.includes('list-type') && answerError(response, status, name);
      await refusedWith(under(key).read(location), name.slice('KMS.'.length));
    }
    const message = `User: arn:aws:iam::1:user/gantry is not authorized to perform: kms:Decrypt on resource: ${keyId}`;
    const denied = `<Error><Code>AccessDenied</Code><Message>${message}</Message></Error>`;
    s3.fault = ({ method }, response) => method === 'GET' && answer(response, 403, Buffer.from(denied));
    await refusedWith(under(key).read(location), 'AccessDeniedException', /kms:Decrypt/);
    s3.fault = ({ method }, response) => method === 'GET' && answerError(response, 403, 'AccessDenied');
    await assert.rejects(under(key).read(location), { name: 'AccessDenied' });
  });

  it('remembers an upload from one request to the next, whoever asks', async () => {
    const id = randomUUID();
    const appender = await under(key).appender(id, 0);
    appender.write(randomBytes(100));
    await appender.close(true);
    let read = 0;
    s3.fault = (request, response, object) => {
      if (request.method === 'GET' && object !== undefined) read++;
      return encrypting(request, response);
    };
    assert.equal(await under(key).stagedBytes(id), 100);
    assert.equal(await store.stagedBytes(id), 100);
    assert.equal(read, 0);
  });
});
