import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type BlobStore, StorageFullError } from '../../../core/blob-store.ts';
import { type Digest, digestOf } from '../../../core/values/digest.ts';
import { answerError, type FaultyS3, startFaultyS3 } from './faulty-s3.ts';
import { openS3BlobStore } from './s3-blob-store.ts';

describe('a bucket that has trouble', () => {
  let s3: FaultyS3;
  let store: BlobStore;
  beforeEach(async () => {
    s3 = await startFaultyS3();
    store = await openS3BlobStore(s3.options);
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await s3[Symbol.asyncDispose]();
  });

  const seal = async (content: Buffer) => {
    const id = randomUUID();
    const appender = await store.appender(id, 0);
    appender.write(Buffer.from(content));
    await appender.close(true);
    return (await store.seal(id, digestOf(content), content.length))!;
  };
  const digestAt = async (location: string): Promise<Digest> => {
    const hash = createHash('sha256');
    await using reader = (await store.read(location))!;
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      hash.update(chunk);
      reader.recycle(chunk);
    }
    return `sha256:${hash.digest('hex')}`;
  };

  it('is asked again when it says that it is too busy', async () => {
    let refusals = 0;
    s3.fault = (request, response) =>
      request.method === 'PUT' && refusals++ < 2 ? answerError(response, 503, 'SlowDown') : false;
    const content = randomBytes(1000);
    assert.equal(await digestAt(await seal(content)), digestOf(content));
    assert.ok(refusals > 2);
  });

  it('is not asked for ever', async () => {
    let requests = 0;
    s3.fault = (request, response) => {
      if (request.method !== 'PUT') return false;
      requests++;
      return answerError(response, 500, 'InternalError');
    };
    await assert.rejects(seal(randomBytes(10)), { name: 'InternalError' });
    assert.ok(requests > 1 && requests < 10, String(requests));
  });

  for (const [status, code] of [
    [507, 'InsufficientStorage'],
    [403, 'QuotaExceeded'],
    [400, 'EntityTooLarge'],
  ] as const) {
    it(`has no room when it answers ${status} ${code}`, async () => {
      s3.fault = (request, response) => (request.method === 'PUT' ? answerError(response, status, code) : false);
      await assert.rejects(seal(randomBytes(10)), StorageFullError);
    });
  }

  it('keeps what was staged before an append that failed', async () => {
    const id = randomUUID();
    const first = await store.appender(id, 0);
    first.write(Buffer.from('kept'));
    await first.close(true);
    s3.fault = (request, response) => (request.method === 'PUT' ? answerError(response, 403, 'AccessDenied') : false);
    const second = await store.appender(id, 4);
    second.write(Buffer.from(' lost'));
    await assert.rejects(second.close(true), { name: 'AccessDenied' });
    s3.fault = () => false;
    assert.equal(await store.stagedBytes(id), 4);
    assert.equal(await store.digest(id, 'sha256'), digestOf(Buffer.from('kept')));
  });

  it('is read on from where its connection broke', async () => {
    const content = randomBytes(900_000);
    const location = await seal(content);
    const ranges: string[] = [];
    s3.fault = ({ method, headers }, response, object) => {
      if (method !== 'GET' || object === undefined) return false;
      ranges.push(headers.range ?? 'all');
      if (ranges.length > 3) return false;
      const first = Number(/\d+/.exec(headers.range ?? '0')?.[0]);
      response.writeHead(206, { 'Content-Length': object.length - first });
      response.write(object.subarray(first, first + 200_000), () => response.destroy());
      return true;
    };
    assert.equal(await digestAt(location), digestOf(content));
    assert.equal(ranges.length, 4, ranges.join(' '));
  });

  it('is given up when every connection breaks, and when it sends less than there should be', async () => {
    const location = await seal(randomBytes(1000));
    s3.fault = ({ method }, response, object) => {
      if (method !== 'GET' || object === undefined) return false;
      response.writeHead(200, { 'Content-Length': object.length }).write('', () => response.destroy());
      response.flushHeaders();
      return true;
    };
    await assert.rejects(digestAt(location));
    s3.fault = ({ method }, response, object) => {
      if (method !== 'GET' || object === undefined) return false;
      response.writeHead(200, { 'Content-Length': 0 }).end();
      return true;
    };
    await assert.rejects(digestAt(location), /end at 0, before 1000/);
  });

  it('that ends before a server begins is told of', async () => {
    const { options } = s3;
    await s3[Symbol.asyncDispose]();
    await assert.rejects(openS3BlobStore(options), /Bucket bucket at http.* cannot be used: .*ECONNREFUSED/);
    s3 = await startFaultyS3();
  });
});
