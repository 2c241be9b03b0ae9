import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { needsFolder } from '../support/cluster-mode.ts';
import { type HttpAnswer, http } from '../support/http.ts';
import { type Blob, blobOf, digestOf, pushBlob } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { storedFiles } from '../support/stored-files.ts';
import { assertOciError, assertStatus } from './oci-answers.ts';

describe('uploads over /v2/', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server[Symbol.asyncDispose]());

  const blob = () => blobOf(randomBytes(30_000));
  const start = (query = '') =>
    http(`${server.url}/v2/up/loads/blobs/uploads/${query}`, { method: 'POST', headers: { 'Content-Length': '0' } });
  const locationOf = (answer: HttpAnswer) => `${server.url}${answer.headers.location}`;
  const begin = async () => locationOf(await start());
  const patch = (location: string, bytes: Buffer, headers: Record<string, string> = {}) =>
    http(location, { method: 'PATCH', body: bytes, headers: { 'Content-Length': String(bytes.length), ...headers } });
  const put = (
    location: string,
    digest: string,
    bytes: Buffer = Buffer.alloc(0),
    headers: Record<string, string> = {},
  ) =>
    http(`${location}?digest=${digest}`, {
      method: 'PUT',
      body: bytes,
      headers: { 'Content-Length': String(bytes.length), ...headers },
    });
  const assertStored = async ({ digest, bytes }: Blob) => {
    const answer = await http(`${server.url}/v2/up/loads/blobs/${digest}`);
    assertStatus(answer, 200);
    assert.ok(bytes.equals(answer.body));
  };
  const assertProgress = (answer: HttpAnswer, range: string) => {
    assert.equal(answer.headers.range, range);
    const id = String(answer.headers['docker-upload-uuid']);
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.equal(answer.headers.location, `/v2/up/loads/blobs/uploads/${id}`);
  };

  it('begin with a place to send to', async () => {
    const answer = await start();
    assertStatus(answer, 202);
    assertProgress(answer, '0-0');
    assert.equal(answer.headers['content-length'], '0');
  });

  it('take a whole blob in one POST', async () => {
    const { digest, bytes } = blob();
    const answer = await http(`${server.url}/v2/up/loads/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      body: bytes,
      headers: { 'Content-Length': String(bytes.length), 'Content-Type': 'application/octet-stream' },
    });
    assertStatus(answer, 201);
    assert.equal(answer.headers.location, `/v2/up/loads/blobs/${digest}`);
    await assertStored({ digest, bytes });
  });

  it('take an empty blob in one POST', async () => {
    const none = blobOf('');
    assertStatus(await start(`?digest=${none.digest}`), 201);
    await assertStored(none);
  });

  it('take a whole blob in one PUT', async () => {
    const { digest, bytes } = blob();
    const answer = await put(await begin(), digest, bytes);
    assertStatus(answer, 201);
    assert.equal(answer.headers.location, `/v2/up/loads/blobs/${digest}`);
    assert.equal(answer.headers['docker-content-digest'], digest);
    await assertStored({ digest, bytes });
  });

  it('take a stream of unknown length', async () => {
    const { digest, bytes } = blob();
    const location = await begin();
    const streamed = await http(location, {
      method: 'PATCH',
      body: Readable.from([bytes.subarray(0, 9), bytes.subarray(9)]),
    });
    assertStatus(streamed, 202);
    assertProgress(streamed, '0-29999');
    assertStatus(await put(locationOf(streamed), digest), 201);
    await assertStored({ digest, bytes });
  });

  it('take streams one behind the other', async () => {
    const { digest, bytes } = blob();
    const location = await begin();
    assertProgress(await patch(location, bytes.subarray(0, 10_000)), '0-9999');
    assertProgress(await patch(location, bytes.subarray(10_000)), '0-29999');
    assertStatus(await put(location, digest), 201);
    await assertStored({ digest, bytes });
  });

  it('take chunks with ranges, the last one with the PUT', async () => {
    const { digest, bytes } = blob();
    const location = await begin();
    const first = await patch(location, bytes.subarray(0, 10_000), { 'Content-Range': '0-9999' });
    assertStatus(first, 202);
    assertProgress(first, '0-9999');
    const second = await patch(location, bytes.subarray(10_000, 20_000), { 'Content-Range': '10000-19999' });
    assertProgress(second, '0-19999');
    assertStatus(await put(location, digest, bytes.subarray(20_000), { 'Content-Range': '20000-29999' }), 201);
    await assertStored({ digest, bytes });
  });

  it('tell how far they have come', async () => {
    const location = await begin();
    const nothing = await http(location);
    assertStatus(nothing, 204);
    assertProgress(nothing, '0-0');
    await patch(location, randomBytes(1234));
    const some = await http(location);
    assertStatus(some, 204);
    assertProgress(some, '0-1233');
  });

  const misplaced: [what: string, range: string][] = [
    ['a gap', '11000-11999'],
    ['an overlap', '9000-9999'],
    ['a repetition', '0-999'],
  ];
  for (const [what, range] of misplaced) {
    it(`refuse ${what}, say where to go on, and lose nothing`, async () => {
      const { digest, bytes } = blob();
      const location = await begin();
      await patch(location, bytes.subarray(0, 10_000));
      const refused = await patch(location, Buffer.alloc(1000), { 'Content-Range': range });
      const first = range.split('-')[0];
      assertOciError(refused, 416, 'BLOB_UPLOAD_INVALID', `First byte of the layer part is ${first} instead of 10000`);
      assertProgress(refused, '0-9999');
      const last = await put(location, digest, Buffer.alloc(1000), { 'Content-Range': range });
      assertOciError(last, 416, 'BLOB_UPLOAD_INVALID');
      assertStatus(await patch(location, bytes.subarray(10_000), { 'Content-Range': '10000-29999' }), 202);
      assertStatus(await put(location, digest), 201);
      await assertStored({ digest, bytes });
    });
  }

  it('refuse a first chunk that is not the first', async () => {
    const refused = await patch(await begin(), Buffer.alloc(10), { 'Content-Range': '10-19' });
    assertOciError(refused, 416, 'BLOB_UPLOAD_INVALID');
    assertProgress(refused, '0-0');
  });

  for (const range of ['0-', '-9', '9-0', 'a-b', '0-9,20-29', '0x0-0x9', `0-${'9'.repeat(30)}`, '']) {
    it(`refuse '${range}' as a Content-Range`, async () => {
      const refused = await patch(await begin(), Buffer.alloc(10), { 'Content-Range': range });
      assertOciError(refused, 400, 'BLOB_UPLOAD_INVALID', /FIRST-LAST/);
    });
  }

  it('refuse a range that is not as long as its chunk', async () => {
    const location = await begin();
    assertOciError(await patch(location, Buffer.alloc(10), { 'Content-Range': '0-10' }), 400, 'SIZE_INVALID');
    assertProgress(await http(location), '0-0');
  });

  it('refuse bytes that do not have the digest, and store nothing', async () => {
    const { bytes } = blob();
    const other = digestOf('other bytes');
    const message = 'None of the provided layer digests match the calculated layer digest';
    assertOciError(await put(await begin(), other, bytes), 400, 'DIGEST_INVALID', message);
    assertStatus(await http(`${server.url}/v2/up/loads/blobs/${other}`, { method: 'HEAD' }), 404);
    const atOnce = await http(`${server.url}/v2/up/loads/blobs/uploads/?digest=${other}`, {
      method: 'POST',
      body: bytes,
      headers: { 'Content-Length': String(bytes.length) },
    });
    assertOciError(atOnce, 400, 'DIGEST_INVALID', message);
    assertStatus(await http(`${server.url}/v2/up/loads/blobs/${digestOf(bytes)}`, { method: 'HEAD' }), 404);
  });

  it('end with a digest, and a proper one', async () => {
    const location = await begin();
    assertOciError(
      await http(location, { method: 'PUT', headers: { 'Content-Length': '0' } }),
      400,
      'DIGEST_INVALID',
      /missing/,
    );
    assertOciError(await put(location, 'sha256:abc'), 400, 'DIGEST_INVALID');
    assertOciError(await start('?digest=sha1:abc'), 400, 'DIGEST_INVALID');
    assertStatus(await http(location), 204);
  });

  it('can be given up', async () => {
    const location = await begin();
    await patch(location, Buffer.alloc(10));
    assertStatus(await http(location, { method: 'DELETE' }), 204);
    assertOciError(await http(location), 404, 'BLOB_UPLOAD_UNKNOWN');
  });

  it('are over once they are finished', async () => {
    const location = await begin();
    const { digest, bytes } = blob();
    assertStatus(await put(location, digest, bytes), 201);
    assertOciError(await http(location), 404, 'BLOB_UPLOAD_UNKNOWN');
    assertOciError(await patch(location, Buffer.alloc(10)), 404, 'BLOB_UPLOAD_UNKNOWN');
    assertOciError(await put(location, digest, bytes), 404, 'BLOB_UPLOAD_UNKNOWN');
    assertOciError(await http(location, { method: 'DELETE' }), 404, 'BLOB_UPLOAD_UNKNOWN');
  });

  it('belong to their repository', async () => {
    assertStatus(await pushBlob(server.url, 'up/other', blob()), 201);
    const elsewhere = (await begin()).replace('/up/loads/', '/up/other/');
    assertOciError(await http(elsewhere), 404, 'BLOB_UPLOAD_UNKNOWN');
  });

  for (const id of ['00000000-0000-0000-0000-000000000000', 'x', '..', '%2e%2e', '%2e%2e%2f%2e%2e%2fetc']) {
    it(`know no '${id}'`, async () => {
      const location = `${server.url}/v2/up/loads/blobs/uploads/${id}`;
      assertOciError(await patch(location, Buffer.alloc(10)), 404, 'BLOB_UPLOAD_UNKNOWN');
    });
  }

  it('have no U+0000 in their id', async () => {
    const location = `${server.url}/v2/up/loads/blobs/uploads/a%00b`;
    assertOciError(await patch(location, Buffer.alloc(10)), 404, 'UNSUPPORTED');
  });

  it('take one writer at a time', async () => {
    const location = await begin();
    for (;;) {
      const held = new Readable({ read() {} });
      held.push('first');
      let isOver = false;
      const over = () => {
        isOver = true;
      };
      const slow = http(location, { method: 'PATCH', body: held });
      slow.then(over, over);
      let second = await patch(location, Buffer.alloc(0));
      while (second.status === 202 && !isOver) second = await patch(location, Buffer.alloc(0));
      // A second one came first, and the first was refused.
      if (isOver) continue;
      assertOciError(second, 409, 'BLOB_UPLOAD_INVALID', /another request/);
      held.push(null);
      const first = await slow;
      assertStatus(first, 202);
      return assertProgress(first, '0-4');
    }
  });

  it('of the same layer by two clients at once both succeed', async () => {
    const same = blobOf(randomBytes(5_000_000));
    const answers = await Promise.all([1, 2, 3, 4].map(() => pushBlob(server.url, 'up/loads', same)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201, 201, 201],
    );
    await assertStored(same);
  });
});

describe('a blob in one POST that is refused', () => {
  it('leaves no upload behind, whose id nobody was told', async () => {
    await using server = await startServer();
    const post = (digest: string, bytes: Buffer) =>
      http(`${server.url}/v2/at/once/blobs/uploads/?digest=${digest}`, {
        method: 'POST',
        body: bytes,
        headers: { 'Content-Length': String(bytes.length) },
      });
    const first = randomBytes(1_000_000);
    assertStatus(await post(digestOf(first), first), 201);
    const before = await bytesIn(server.data);
    assertOciError(await post(digestOf('other'), randomBytes(1_000_000)), 400, 'DIGEST_INVALID');
    assert.ok((await bytesIn(server.data)) < before + 1_000_000);
  });
});

async function bytesIn(data: string): Promise<number> {
  return (await storedFiles(data)).reduce((sum, { bytes }) => sum + bytes, 0);
}

describe('an upload that was cut off', () => {
  // test/cluster/s3-registry.test.ts has the same for a bucket.
  const skip = needsFolder('a bucket says how far a request has come when it ends');
  it('goes on where it was, also after a restart', { skip }, async () => {
    const bytes = randomBytes(400_000);
    await using first = await startServer();
    const started = await http(`${first.url}/v2/re/sumed/blobs/uploads/`, { method: 'POST' });
    const path = String(started.headers.location);
    const reset = new AbortController();
    const half = new Readable({ read() {} });
    half.push(bytes.subarray(0, 300_000));
    const broken = http(`${first.url}${path}`, { method: 'PATCH', body: half, signal: reset.signal });
    const progress = async (url: string) => String((await http(`${url}${path}`)).headers.range);
    while ((await progress(first.url)) === '0-0');
    reset.abort();
    await assert.rejects(broken, /abort/i);
    const patchRest = async (url: string, from: number, to: number): Promise<HttpAnswer> => {
      const body = bytes.subarray(from, to);
      const headers = { 'Content-Length': String(body.length), 'Content-Range': `${from}-${to - 1}` };
      const answer = await http(`${url}${path}`, { method: 'PATCH', body, headers });
      // The server may not have noticed yet that the first client is gone.
      return answer.status === 409 ? patchRest(url, from, to) : answer;
    };
    const from = Number((await settled(() => progress(first.url))).split('-')[1]) + 1;
    assert.ok(from > 1 && from <= 300_000, String(from));
    assertStatus(await patchRest(first.url, from, 350_000), 202);
    assert.equal(await first.stop(), 0);

    await using second = await startServer({ data: first.data });
    assert.equal(await progress(second.url), '0-349999');
    assertStatus(await patchRest(second.url, 350_000, 400_000), 202);
    const digest = digestOf(bytes);
    assertStatus(await http(`${second.url}${path}?digest=${digest}`, { method: 'PUT' }), 201);
    const answer = await http(`${second.url}/v2/re/sumed/blobs/${digest}`);
    assert.ok(bytes.equals(answer.body));
  });
});

/** What a question is answered twice in a row. */
async function settled(ask: () => Promise<string>): Promise<string> {
  for (let before = await ask(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = await ask();
    if (now === before) return now;
    before = now;
  }
}
