import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { refusingForeign } from './foreign-requests.ts';

test('a foreign Host and a foreign Origin are refused, ours are served', async (t) => {
  const guarded = refusingForeign(
    (host) => host === 'ours',
    async (_, response) => void response.end('served'),
  );
  const server = createServer((...exchange) => void guarded(...exchange)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const status = async (headers: Record<string, string>) => {
    const sent = request({ port, host: '127.0.0.1', headers, agent: false }).end();
    const [response] = await once(sent, 'response');
    response.resume();
    return response.statusCode;
  };
  assert.equal(await status({ host: 'ours' }), 200);
  assert.equal(await status({ host: 'ours', origin: 'http://ours' }), 200);
  assert.equal(await status({ host: 'evil.test' }), 403);
  assert.equal(await status({ host: 'ours', origin: 'http://evil.test' }), 403);
  assert.equal(await status({ host: 'ours', origin: 'null' }), 403);
});
