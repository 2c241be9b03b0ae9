import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';

describe('a running server', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server[Symbol.asyncDispose]());

  it('says that it lives and is ready, and counts what it does', async () => {
    assert.deepEqual((await http(`${server.url}/healthz`)).json(), { status: 'alive' });
    const ready = { status: 'ready', stores: { metadata: 'ready', blobs: 'ready' } };
    assert.deepEqual((await http(`${server.url}/readyz`)).json(), ready);
    await pushImage(server.url, 'counted/image', 'latest', randomImage());
    const metrics = await http(`${server.url}/metrics`);
    assert.match(String(metrics.headers['content-type']), /^text\/plain; version=0\.0\.4/);
    assert.match(metrics.text(), /^gantry_http_requests_total\{face="oci",method="PUT",status="201"\} 3$/m);
    assert.match(metrics.text(), /^process_resident_memory_bytes /m);
  });

  it('does not answer under a name that a web page may have bound to this machine', async () => {
    for (const Host of ['evil.example.com', 'localhost.example.com', '123456789012.dkr.ecr.us-east-1.example.com']) {
      for (const path of ['/v2/', '/v2/_catalog', '/', '/metrics']) {
        const { status, text } = await http(`${server.url}${path}`, { headers: { Host } });
        assert.equal(status, 403, path);
        assert.match(text(), /This server is not '.*example\.com'/);
      }
    }
  });

  it('answers under loopback and under the names of registries', async () => {
    const names = ['localhost', '127.0.0.1', '[::1]', 'a.localhost', '123456789012.dkr.ecr.us-east-1.localhost'];
    for (const Host of [...names, 'api.ecr.eu-west-1.amazonaws.com', '123456789012.dkr.ecr.eu-west-1.amazonaws.com']) {
      assert.equal((await http(`${server.url}/v2/`, { headers: { Host } })).status, 200, Host);
      assert.equal((await http(`${server.url}/v2/`, { headers: { Host: `${Host}:4510` } })).status, 200, Host);
    }
  });

  it('does not answer what a web page of another site asks', async () => {
    for (const Origin of ['http://evil.example.com', 'null', `http://localhost:${server.port + 1}`]) {
      const { status } = await http(`${server.url}/`, { method: 'POST', headers: { Origin } });
      assert.equal(status, 403, Origin);
    }
    assert.equal((await http(`${server.url}/v2/`, { headers: { Origin: server.url } })).status, 200);
  });

  it('keeps accounts and regions apart: each is a registry of its own', async () => {
    const [eu, us] = [{ region: 'eu-west-1' }, { region: 'us-west-2' }].map((one) => ({
      ...one,
      accessKeyId: '123456789012',
    }));
    const other = { region: 'eu-west-1', accessKeyId: '210987654321' };
    const named = async (scope: { region: string; accessKeyId: string } | undefined) =>
      (await awsCall(server.url, 'DescribeRepositories', {}, scope))
        .json()
        .repositories.map(({ repositoryName }: { repositoryName: string }) => repositoryName);
    for (const [scope, repositoryName] of [
      [eu, 'of/eu'],
      [us, 'of/us'],
      [other, 'of/other'],
    ] as const) {
      assert.equal((await awsCall(server.url, 'CreateRepository', { repositoryName }, scope)).status, 200);
    }
    assert.deepEqual([await named(eu), await named(us), await named(other)], [['of/eu'], ['of/us'], ['of/other']]);

    const Host = `123456789012.dkr.ecr.eu-west-1.localhost:${server.port}`;
    const catalog = await http(`${server.url}/v2/_catalog`, { headers: { Host } });
    assert.deepEqual(catalog.json().repositories, ['of/eu']);
    const described = await awsCall(server.url, 'DescribeRepositories', {}, eu);
    assert.equal(described.json().repositories[0].repositoryUri, `${Host}/of/eu`);
  });
});
