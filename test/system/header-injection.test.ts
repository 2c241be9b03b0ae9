import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { digestOf } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';

let server: RunningServer;
before(async () => {
  server = await startServer();
});
after(() => server[Symbol.asyncDispose]());

/** Ends of lines as they are, in escapes, in overlong UTF-8 and as characters whose low byte is one. */
const ends = ['%0d%0a', '%0a', '%0d', '%E5%98%8A%E5%98%8D', '%c0%8d%c0%8a', '%250d%250a'];

describe('a line that a client tries to put into an answer', () => {
  for (const end of ends) {
    it(`never becomes a header: ${end}`, async () => {
      const line = `a${end}X-Injected:1${end}${end}<b>`;
      const tries: [method: string, path: string, headers?: Record<string, string>][] = [
        ['GET', `/${line}`],
        ['GET', `/v2/${line}/tags/list`],
        ['GET', `/v2/a/b/manifests/${line}`],
        ['HEAD', `/v2/a/b/manifests/${line}`],
        ['GET', `/v2/a/b/blobs/${digestOf('x')}${line}`],
        ['GET', `/v2/a/b/referrers/${digestOf('x')}?artifactType=${line}`],
        ['GET', `/v2/_catalog?n=1&last=${line}`],
        ['GET', `/v2/a/b/tags/list?n=1&last=${line}`],
        ['POST', `/v2/a/b/blobs/uploads/?mount=${line}&from=${line}`],
        ['POST', `/v2/a/${line}/blobs/uploads/`],
        ['PATCH', `/v2/a/b/blobs/uploads/${line}`],
        ['GET', `/layers/${line}?signature=${line}`],
        ['POST', '/', { 'X-Amz-Target': `AmazonEC2ContainerRegistry_V20150921.${line}` }],
        ['POST', '/', { Authorization: `AWS4-HMAC-SHA256 Credential=${line}` }],
        ['GET', '/v2/', { Host: `localhost${line}` }],
        ['GET', '/v2/', { Origin: `http://${line}` }],
        ['GET', '/v2/', { 'X-Forwarded-Host': line, 'X-Request-Id': line }],
      ];
      for (const [method, path, headers] of tries) {
        const answer = await http(`${server.url}${path}`, { method, headers });
        const what = `${method} ${path} ${JSON.stringify(headers)} was answered ${answer.status}`;
        assert.ok(answer.status < 500, what);
        assert.ok(!('x-injected' in answer.headers), what);
        assert.ok(!('server' in answer.headers) && !('x-powered-by' in answer.headers), what);
      }
    });
  }
});
