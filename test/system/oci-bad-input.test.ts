import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { blobOf, digestOf, pushBlob, pushManifest, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { assertOciError, assertStatus } from './oci-answers.ts';
import { rawConnection, rawExchange } from './raw-exchange.ts';

let server: RunningServer;
before(async () => {
  server = await startServer();
});
after(() => server[Symbol.asyncDispose]());

const begin = async (repository: string) => {
  const answer = await http(`${server.url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  assertStatus(answer, 202);
  return String(answer.headers.location);
};

/** Bytes an upload has once nobody writes into it any more. */
async function bytesOnceQuiet(path: string): Promise<number> {
  const headers = { 'Content-Length': '0' };
  let answer = await http(`${server.url}${path}`, { method: 'PATCH', headers });
  while (answer.status === 409) answer = await http(`${server.url}${path}`, { method: 'PATCH', headers });
  assertStatus(answer, 202);
  const last = Number(String(answer.headers.range).split('-')[1]);
  return last === 0 ? 0 : last + 1;
}

/** Sends these bytes, then the end of the connection; resolves when the server has ended it too. */
async function sendAndLeave(head: string, bytes: Buffer): Promise<void> {
  const socket = await rawConnection(server.url);
  socket.resume();
  socket.write(head);
  socket.end(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
}

describe('a hostile repository name', () => {
  const names = [
    '..',
    '../..',
    'a/..',
    '../../etc/passwd',
    'a/../b',
    'a/./b',
    './a',
    'a//b',
    '/a',
    'a/',
    'A',
    'team/App',
    'a%2fb',
    'a%2Fb',
    'a%5cb',
    '..%2f..%2fetc',
    '%2e%2e',
    '%2e%2e/a',
    'a%00b',
    'a%0ab',
    'a%20b',
    'a\\b',
    'a:b',
    'a@b',
    'a+b',
    'a~b',
    '-a',
    'a-',
    '_a',
    'a_',
    '.a',
    'a.',
    'a..b',
    'a___b',
    'a_-b',
    'a;b',
    "a'b",
    'a"b',
    'a<b',
    'x',
    'a'.repeat(257),
    `${'a-'.repeat(5000)}!`,
    'constructor/__proto__',
  ];
  for (const name of names) {
    it(`is refused wherever it stands: ${name.slice(0, 40)}`, async () => {
      const { manifest, mediaType } = randomImage();
      const answers = [
        await http(`${server.url}/v2/${name}/tags/list`),
        await http(`${server.url}/v2/${name}/blobs/${digestOf('x')}`),
        await http(`${server.url}/v2/${name}/blobs/uploads/`, { method: 'POST' }),
        await pushManifest(server.url, name, 'latest', manifest, mediaType),
      ];
      for (const answer of answers) assertOciError(answer, 400, 'NAME_INVALID', /repositoryName/);
    });
  }

  it('makes no repository', async () => {
    assert.deepEqual((await http(`${server.url}/v2/_catalog`)).json(), { repositories: [] });
  });

  it('as the source of a mount only makes the client upload', async () => {
    const query = `mount=${digestOf('x')}&from=..%2f..%2fetc`;
    assertStatus(await http(`${server.url}/v2/mount/it/blobs/uploads/?${query}`, { method: 'POST' }), 202);
  });

  it('may hold the words of the API all the same', async () => {
    for (const name of [
      'tags/list',
      'manifests/manifests',
      'blobs/uploads',
      'v2/a',
      'constructor',
      'a__b',
      'a--b/c.d',
    ]) {
      const blob = blobOf(name);
      assertStatus(await pushBlob(server.url, name, blob), 201);
      assert.equal((await http(`${server.url}/v2/${name}/blobs/${blob.digest}`)).text(), name);
    }
  });
});

describe('a head that is too large', () => {
  it('is refused with 431 in a header', async () => {
    const answer = await rawExchange(server.url, `GET /v2/ HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`);
    assert.deepEqual([answer.statuses, answer.closed], [[431], true]);
  });

  it('is refused with 431 in many headers', async () => {
    const many = Array.from({ length: 5000 }, (_, n) => `X-${n}: a\r\n`).join('');
    const answer = await rawExchange(server.url, `GET /v2/ HTTP/1.1\r\nHost: a\r\n${many}\r\n`);
    assert.deepEqual([answer.statuses, answer.closed], [[431], true]);
  });

  it('is refused with 431 in the path', async () => {
    const answer = await rawExchange(server.url, `GET /v2/${'a/'.repeat(50_000)}tags/list HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.deepEqual([answer.statuses, answer.closed], [[431], true]);
  });
});

describe('a body that is not as long as its Content-Length', () => {
  const head = (method: string, target: string, length: number) =>
    `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;

  it('ends there when it is longer, and what follows is no request', async () => {
    const path = await begin('too/long');
    const pieces = [head('PATCH', path, 1000), Buffer.alloc(1500, 'x')];
    const { statuses, closed } = await rawExchange(server.url, pieces);
    // What follows may be noticed before the body was answered.
    assert.deepEqual([statuses.at(-1), closed], [400, true]);
    assert.ok((await bytesOnceQuiet(path)) <= 1000);
  });

  it('leaves an upload that goes on, and no blob, when it is shorter', async () => {
    const bytes = randomBytes(1000);
    const digest = digestOf(bytes);
    for (const query of ['', `?digest=${digestOf(bytes.subarray(0, 500))}`]) {
      const path = await begin('too/short');
      await sendAndLeave(head(query === '' ? 'PATCH' : 'PUT', `${path}${query}`, 1000), bytes.subarray(0, 500));
      const came = await bytesOnceQuiet(path);
      assert.ok(came <= 500, String(came));
      assertOciError(
        await http(`${server.url}/v2/too/short/blobs/${digestOf(bytes.subarray(0, 500))}`),
        404,
        'BLOB_UNKNOWN',
      );
      const rest = bytes.subarray(came);
      const headers = { 'Content-Range': `${came}-999`, 'Content-Length': String(rest.length) };
      const ended = await http(`${server.url}${path}?digest=${digest}`, { method: 'PUT', body: rest, headers });
      assertStatus(ended, 201);
    }
  });

  it('leaves no image of a manifest that is shorter', async () => {
    const { manifest } = randomImage();
    await sendAndLeave(head('PUT', '/v2/too/short/manifests/half', manifest.bytes.length + 1), manifest.bytes);
    assertOciError(await http(`${server.url}/v2/too/short/manifests/half`), 404, 'MANIFEST_UNKNOWN');
  });
});

describe('a client that asks whether to send', () => {
  const put = (path: string) =>
    `PUT ${path}?digest=${digestOf('hello')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;

  it('is told to, and then that the blob is there', async () => {
    const path = await begin('ask/first');
    const socket = await rawConnection(server.url);
    socket.write(put(path));
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (text === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write('hello');
    }
    assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 Created\r\n/);
  });

  it('is refused before it sends', async () => {
    const { statuses, closed } = await rawExchange(server.url, put('/v2/ask/first/blobs/uploads/none'));
    assert.deepEqual([statuses, closed], [[404], true]);
  });
});

describe('parameters of any kind', () => {
  it('are refused or ignored, and never break the server', async () => {
    const digest = digestOf('x');
    const paths = [
      `/v2/a/b/manifests/%zz`,
      `/v2/a/b/manifests/%`,
      `/v2/a/b/manifests/%00`,
      `/v2/a/b/manifests/`,
      `/v2/a/b/manifests/${'a'.repeat(8000)}`,
      `/v2/a/b/manifests/..%2f..%2fx`,
      `/v2/a/b/manifests/__proto__`,
      `/v2/a/b/blobs/`,
      `/v2/a/b/blobs/..`,
      `/v2/a/b/blobs/sha256:../../x`,
      `/v2/a/b/blobs/${digest}%00`,
      `/v2/a/b/referrers/`,
      `/v2/a/b/tags/list?n=99999999999999999999`,
      `/v2/a/b/tags/list?last=%00%ff`,
      `/v2/_catalog?last=%00%ff&n=1`,
      `/v2/_catalog?n=1&n=2`,
      `/v2/?${'x='.repeat(3000)}`,
      `/v2/a/b/tags/list?%zz=%`,
    ];
    for (const path of paths) {
      const { status } = await http(`${server.url}${path}`);
      assert.ok(status < 500, `${path.slice(0, 60)} was answered ${status}`);
    }
    assert.doesNotMatch(server.output(), /request failed/);
  });
});
