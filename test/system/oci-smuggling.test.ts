import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { assertStatus } from './oci-answers.ts';
import { rawExchange } from './raw-exchange.ts';

const patch = 'PATCH /v2/smuggle/me/blobs/uploads/x HTTP/1.1\r\nHost: localhost\r\n';
const chunked = `${patch}Transfer-Encoding: chunked\r\n\r\n`;
/** What an attacker would have a proxy take for a body and the server for a request. */
const hidden = 'GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** Messages on whose end two servers might disagree (RFC 9112, 11.2); each ends with a hidden request. */
const probes: Readonly<Record<string, string>> = {
  'a chunk size that is no number': `${chunked}zz\r\nhello\r\n0\r\n\r\n${hidden}`,
  'a chunk size with a prefix': `${chunked}0x5\r\nhello\r\n0\r\n\r\n${hidden}`,
  'a negative chunk size': `${chunked}-5\r\nhello\r\n0\r\n\r\n${hidden}`,
  'a chunk size with a sign': `${chunked}+5\r\nhello\r\n0\r\n\r\n${hidden}`,
  'a chunk size beyond 64 bits': `${chunked}10000000000000005\r\nhello\r\n0\r\n\r\n${hidden}`,
  'an empty chunk size': `${chunked}\r\nhello\r\n0\r\n\r\n${hidden}`,
  'a chunk longer than it says': `${chunked}3\r\nhello\r\n0\r\n\r\n${hidden}`,
  'a chunk that ends in a bare line feed': `${chunked}5\r\nhello\n0\r\n\r\n${hidden}`,
  'a chunk size that ends in a bare line feed': `${chunked}5\nhello\r\n0\r\n\r\n${hidden}`,
  'a bare carriage return in a chunk extension': `${chunked}5;a\rb\r\nhello\r\n0\r\n\r\n${hidden}`,
  'chunks and a length': `${patch}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  'a length and chunks': `${patch}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${hidden}`,
  'two lengths': `${patch}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello${hidden}`,
  'the same length twice': `${patch}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello${hidden}`,
  'a list of lengths': `${patch}Content-Length: 5, 5\r\n\r\nhello${hidden}`,
  'a length with a sign': `${patch}Content-Length: +5\r\n\r\nhello${hidden}`,
  'a negative length': `${patch}Content-Length: -5\r\n\r\nhello${hidden}`,
  'a hexadecimal length': `${patch}Content-Length: 0x5\r\n\r\nhello${hidden}`,
  'a length beyond 64 bits': `${patch}Content-Length: 18446744073709551621\r\n\r\nhello${hidden}`,
  'a blank before the colon of a length': `${patch}Content-Length : 5\r\n\r\nhello${hidden}`,
  'chunks that are not the last coding': `${patch}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
  'a coding that only looks like chunks': `${patch}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
  'a folded header': `${patch}X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n${hidden}`,
  'a header that ends in a bare line feed': `${patch}X-A: b\nContent-Length: 5\r\n\r\nhello${hidden}`,
  'a bare carriage return in a header': `${patch}X-A: b\rContent-Length: 5\r\n\r\nhello${hidden}`,
  'NUL in a header': `${patch}X-A: b\0c\r\nContent-Length: 5\r\n\r\nhello${hidden}`,
  'NUL in a header name': `${patch}X-\0A: b\r\nContent-Length: 5\r\n\r\nhello${hidden}`,
  'NUL in the path': `GET /v2/a\0b HTTP/1.1\r\nHost: localhost\r\n\r\n${hidden}`,
  'a blank in the path': `GET /v2/a b HTTP/1.1\r\nHost: localhost\r\n\r\n${hidden}`,
  'a header without a colon': `${patch}Content-Length 5\r\n\r\nhello${hidden}`,
  'two hosts': `GET /v2/ HTTP/1.1\r\nHost: localhost\r\nHost: example.com\r\n\r\n${hidden}`,
  'no host': `GET /v2/ HTTP/1.1\r\n\r\n${hidden}`,
  'a version that is none': `GET /v2/ HTTP/1.9\r\nHost: localhost\r\n\r\n${hidden}`,
  'a method that is none': `G\x7fET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n${hidden}`,
};

describe('a message whose end is in doubt', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server[Symbol.asyncDispose]());

  for (const [what, bytes] of Object.entries(probes)) {
    it(`is refused and its connection closed: ${what}`, async () => {
      const { text, statuses, closed } = await rawExchange(server.url, bytes);
      assert.ok(closed, text);
      // The route may have refused before the body turned out to be broken; the hidden request would be answered with 200.
      assert.ok(statuses.length <= 2 && statuses.every((status) => status >= 400), text);
    });
  }

  it('is not one whose end is plain: both requests are answered then', async () => {
    for (const plain of [`${chunked}5\r\nhello\r\n0\r\n\r\n`, `${patch}Content-Length: 5\r\n\r\nhello`]) {
      const { statuses } = await rawExchange(server.url, `${plain}${hidden}`);
      assert.deepEqual(statuses, [404, 200]);
    }
  });

  it('does not harm the server', async () => {
    assertStatus(await http(`${server.url}/v2/`), 200);
    assert.doesNotMatch(server.output(), /request failed/);
  });
});
