import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { blobOf, digestOf, pushBlob, pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { assertOciError, assertStatus } from './oci-answers.ts';

describe('blobs over /v2/', () => {
  let server: RunningServer;
  const blob = blobOf(randomBytes(3_000_000));
  const unknown = digestOf('nobody pushed this');
  const at = (repository: string, digest: string) => `${server.url}/v2/${repository}/blobs/${digest}`;

  before(async () => {
    server = await startServer();
    assertStatus(await pushBlob(server.url, 'team/app', blob), 201);
  });
  after(() => server[Symbol.asyncDispose]());

  it('come back as they were pushed', async () => {
    const answer = await http(at('team/app', blob.digest));
    assertStatus(answer, 200);
    assert.ok(blob.bytes.equals(answer.body));
  });

  for (const method of ['GET', 'HEAD']) {
    it(`say on ${method} what they are`, async () => {
      const { status, headers } = await http(at('team/app', blob.digest), { method });
      assert.equal(status, 200);
      assert.equal(headers['content-length'], '3000000');
      assert.equal(headers['content-type'], 'application/octet-stream');
      assert.equal(headers['docker-content-digest'], blob.digest);
      assert.equal(headers.etag, `"${blob.digest}"`);
      assert.equal(headers['accept-ranges'], 'bytes');
      assert.equal(headers['docker-distribution-api-version'], 'registry/2.0');
    });
  }

  const ranges: [range: string, first: number, last: number][] = [
    ['bytes=0-0', 0, 0],
    ['bytes=100-1999999', 100, 1_999_999],
    ['bytes=2999990-', 2_999_990, 2_999_999],
    ['bytes=-5', 2_999_995, 2_999_999],
    ['bytes=2999999-9999999', 2_999_999, 2_999_999],
  ];
  for (const [range, first, last] of ranges) {
    it(`come in part when asked for ${range}`, async () => {
      const answer = await http(at('team/app', blob.digest), { headers: { Range: range } });
      assertStatus(answer, 206);
      assert.equal(answer.headers['content-range'], `bytes ${first}-${last}/3000000`);
      assert.ok(blob.bytes.subarray(first, last + 1).equals(answer.body));
    });
  }

  it('refuse a range that begins behind their end', async () => {
    const answer = await http(at('team/app', blob.digest), { headers: { Range: 'bytes=3000000-' } });
    assertStatus(answer, 416);
    assert.equal(answer.headers['content-range'], 'bytes */3000000');
  });

  it('are not sent to a client that has them', async () => {
    const answer = await http(at('team/app', blob.digest), { headers: { 'If-None-Match': `"${blob.digest}"` } });
    assertStatus(answer, 304);
    assert.equal(answer.body.length, 0);
  });

  it('are found with an escaped colon too', async () => {
    assertStatus(await http(at('team/app', blob.digest.replace(':', '%3A')), { method: 'HEAD' }), 200);
  });

  it('may be empty', async () => {
    const empty = blobOf('');
    assertStatus(await pushBlob(server.url, 'team/app', empty), 201);
    const answer = await http(at('team/app', empty.digest));
    assertStatus(answer, 200);
    assert.equal(answer.headers['content-length'], '0');
  });

  it('may be known by sha512', async () => {
    const bytes = randomBytes(100_000);
    const long = { bytes, digest: digestOf(bytes, 'sha512') };
    const pushed = await pushBlob(server.url, 'team/app', long);
    assertStatus(pushed, 201);
    assert.equal(pushed.headers['docker-content-digest'], long.digest);
    assert.ok(bytes.equals((await http(at('team/app', long.digest))).body));
  });

  it('that are not there are BLOB_UNKNOWN', async () => {
    assertOciError(await http(at('team/app', unknown)), 404, 'BLOB_UNKNOWN', new RegExp(unknown));
    assertStatus(await http(at('team/app', unknown), { method: 'HEAD' }), 404);
    assertOciError(await http(at('team/app', unknown), { method: 'DELETE' }), 404, 'BLOB_UNKNOWN');
  });

  it('belong to their repository alone', async () => {
    assertStatus(await pushBlob(server.url, 'team/other', blobOf('something else')), 201);
    assertOciError(await http(at('team/other', blob.digest)), 404, 'BLOB_UNKNOWN');
  });

  it('of a repository that is not there are NAME_UNKNOWN', async () => {
    const message = "The repository with name 'nobody/has' does not exist in the registry with id '000000000000'";
    assertOciError(await http(at('nobody/has', blob.digest)), 404, 'NAME_UNKNOWN', message);
  });

  const noDigests = [
    'sha256:abc',
    'latest',
    `sha256:${'A'.repeat(64)}`,
    `md5:${'a'.repeat(32)}`,
    `sha256${'a'.repeat(64)}`,
  ];
  for (const text of noDigests) {
    it(`refuse '${text.slice(0, 20)}' as a digest`, async () => {
      assertOciError(await http(at('team/app', text)), 400, 'DIGEST_INVALID', new RegExp(text));
    });
  }

  it('go when they are deleted', async () => {
    const doomed = blobOf(randomBytes(100));
    assertStatus(await pushBlob(server.url, 'team/app', doomed), 201);
    assertStatus(await http(at('team/app', doomed.digest), { method: 'DELETE' }), 202);
    assertOciError(await http(at('team/app', doomed.digest)), 404, 'BLOB_UNKNOWN');
  });

  it('stay while an image uses them', async () => {
    const image = randomImage();
    await pushImage(server.url, 'team/app', 'uses-it', image);
    const [layer] = image.layers;
    const refused = await http(at('team/app', String(layer?.digest)), { method: 'DELETE' });
    assertOciError(refused, 405, 'UNSUPPORTED', /is used by an image/);
    assertStatus(await http(at('team/app', String(layer?.digest)), { method: 'HEAD' }), 200);
  });
});

describe('mounting a blob', () => {
  let server: RunningServer;
  const blob = blobOf(randomBytes(10_000));
  const mount = (repository: string, query: string) =>
    http(`${server.url}/v2/${repository}/blobs/uploads/?${query}`, {
      method: 'POST',
      headers: { 'Content-Length': '0' },
    });

  before(async () => {
    server = await startServer();
    assertStatus(await pushBlob(server.url, 'source', blob), 201);
  });
  after(() => server[Symbol.asyncDispose]());

  it('puts it into the other repository without its bytes', async () => {
    const answer = await mount('team/target', `mount=${encodeURIComponent(blob.digest)}&from=source`);
    assertStatus(answer, 201);
    assert.equal(answer.headers.location, `/v2/team/target/blobs/${blob.digest}`);
    assert.equal(answer.headers['docker-content-digest'], blob.digest);
    assert.ok(blob.bytes.equals((await http(`${server.url}${answer.headers.location}`)).body));
  });

  const impossible = {
    'the source lacks it': `mount=${digestOf('not there')}&from=source`,
    'there is no such source': `mount=${blob.digest}&from=nobody/has`,
    'the source is no name': `mount=${blob.digest}&from=../source`,
  };
  for (const [reason, query] of Object.entries(impossible)) {
    it(`begins an upload when ${reason}`, async () => {
      const answer = await mount('team/fallback', query);
      assertStatus(answer, 202);
      assert.match(String(answer.headers.location), /^\/v2\/team\/fallback\/blobs\/uploads\/[0-9a-f-]{36}$/);
    });
  }

  it('answers either way when no source is named', async () => {
    const { status } = await mount('team/anywhere', `mount=${blob.digest}`);
    assert.ok(status === 201 || status === 202, String(status));
  });

  it('refuses what is no digest', async () => {
    assertOciError(await mount('team/target', 'mount=sha256:abc&from=source'), 400, 'DIGEST_INVALID');
  });
});
