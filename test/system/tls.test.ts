import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { http } from '../support/http.ts';
import { startServer } from '../support/server.ts';

async function get(port: number, path: string, ca: Buffer): Promise<{ status: number | undefined; body: string }> {
  const sent = request({ host: 'localhost', port, path, ca, agent: false }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, body: await text(answer) };
}

describe('TLS with an authority of its own', () => {
  it('serves both faces to clients that trust it, and says what they have to put where', async () => {
    await using server = await startServer({ args: ['--tls', 'self-signed'] });
    const authorityFile = join(server.data, 'tls', 'ca.crt');
    const ca = readFileSync(authorityFile);
    assert.equal(statSync(join(server.data, 'tls', 'ca.key')).mode & 0o777, 0o600);
    assert.equal((await get(server.port, '/v2/', ca)).status, 200);
    assert.ok(server.output().includes(`/etc/docker/certs.d/localhost:${server.port}/ca.crt`));

    const target = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';
    const headers = { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' };
    const sent = request({ host: 'localhost', port: server.port, method: 'POST', ca, headers, agent: false }).end('{}');
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const { authorizationData } = JSON.parse(await text(answer)) as { authorizationData: { proxyEndpoint: string }[] };
    assert.equal(authorizationData[0]?.proxyEndpoint, `https://localhost:${server.port}`);
  });

  it('is the same authority after a restart, and nobody else can be it', async () => {
    const first = await startServer({ args: ['--tls', 'self-signed'] });
    await using _ = first;
    const ca = readFileSync(join(first.data, 'tls', 'ca.crt'));
    await first.stop();
    await using again = await startServer({ args: ['--tls', 'self-signed'], data: first.data });
    assert.equal((await get(again.port, '/healthz', ca)).status, 200);
    await using other = await startServer({ args: ['--tls', 'self-signed'] });
    await assert.rejects(get(other.port, '/healthz', ca), /certificate/);
  });
});

describe('a trusted proxy', () => {
  const statusAs = async (args: string[]) => {
    await using server = await startServer({ args });
    const headers = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' };
    return (await http(`${server.url}/v2/`, { headers })).status;
  };

  it('is believed about the host a client asked for, which here is a foreign one', async () => {
    assert.equal(await statusAs(['--trusted-proxy', '127.0.0.1']), 403);
  });

  it('alone is believed', async () => {
    assert.equal(await statusAs([]), 200);
  });
});
