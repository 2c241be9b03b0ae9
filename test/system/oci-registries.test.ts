import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { awsCall } from '../support/aws-call.ts';
import { http } from '../support/http.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { assertOciError, assertStatus } from './oci-answers.ts';

describe('/v2/', () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer();
    await pushImage(server.url, 'default/image', 'latest', randomImage());
  });
  after(() => server[Symbol.asyncDispose]());
  const get = (path: string, headers = {}, method = 'GET') => http(`${server.url}${path}`, { headers, method });

  it('says that this is a registry', async () => {
    for (const path of ['/v2/', '/v2']) {
      const answer = await get(path);
      assertStatus(answer, 200);
      assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0');
      assert.deepEqual(answer.json(), {});
    }
    assertStatus(await get('/v2/', {}, 'HEAD'), 200);
  });

  it('admits everybody while it is open', async () => {
    for (const password of ['AWS:open', 'AWS:', 'nobody', ':', '']) {
      const Authorization = `Basic ${Buffer.from(password).toString('base64')}`;
      assertStatus(await get('/v2/', { Authorization }), 200);
    }
    for (const Authorization of ['Bearer abc', 'Basic ***', 'Basic', 'x']) {
      assertStatus(await get('/v2/default/image/tags/list', { Authorization }), 200);
    }
  });

  it('means the registry whose host was called', async () => {
    const Host = `123456789012.dkr.ecr.eu-west-1.localhost:${server.port}`;
    assert.deepEqual((await get('/v2/_catalog', { Host })).json(), { repositories: [] });
    const message = "The repository with name 'default/image' does not exist in the registry with id '123456789012'";
    assertOciError(await get('/v2/default/image/tags/list', { Host }), 404, 'NAME_UNKNOWN', message);
  });

  it('means the registry of a token, unless the host names one', async () => {
    const created = await awsCall(
      server.url,
      'CreateRepository',
      { repositoryName: 'their/image' },
      { accessKeyId: '210987654321', region: 'eu-north-1' },
    );
    assertStatus(created, 200);
    const login = await awsCall(
      server.url,
      'GetAuthorizationToken',
      {},
      { accessKeyId: '210987654321', region: 'eu-north-1' },
    );
    const Authorization = `Basic ${login.json().authorizationData[0].authorizationToken}`;
    assert.deepEqual((await get('/v2/_catalog', { Authorization })).json(), { repositories: ['their/image'] });
    assert.deepEqual((await get('/v2/_catalog')).json(), { repositories: ['default/image'] });
    const Host = `123456789012.dkr.ecr.eu-west-1.localhost:${server.port}`;
    assert.deepEqual((await get('/v2/_catalog', { Authorization, Host })).json(), { repositories: [] });
  });

  it('says where nothing is', async () => {
    for (const path of ['/v2/a', '/v2/default/image', '/v2/default/image/tags/other', '/v2/_catalog/']) {
      assertOciError(await get(path), 404, 'UNSUPPORTED', new RegExp(path));
    }
  });

  const allowed: [method: string, path: string, allow: string][] = [
    ['POST', '/v2/', 'GET, HEAD'],
    ['DELETE', '/v2/_catalog', 'GET'],
    ['PUT', '/v2/default/image/tags/list', 'GET'],
    ['PATCH', '/v2/default/image/manifests/latest', 'GET, HEAD, PUT, DELETE'],
    ['PUT', `/v2/default/image/blobs/sha256:${'a'.repeat(64)}`, 'GET, HEAD, DELETE'],
    ['GET', '/v2/default/image/blobs/uploads/', 'POST'],
    ['POST', '/v2/default/image/blobs/uploads/abc', 'GET, HEAD, PATCH, PUT, DELETE'],
  ];
  for (const [method, path, allow] of allowed) {
    it(`tells that ${method} ${path.slice(0, 40)} is not the way`, async () => {
      const answer = await get(path, {}, method);
      assertOciError(answer, 405, 'UNSUPPORTED');
      assert.equal(answer.headers.allow, allow);
    });
  }

  it('makes Location absolute where it is told how it is reached', async () => {
    await using behindProxy = await startServer({ args: ['--public-url', 'https://registry.example.com'] });
    const answer = await http(`${behindProxy.url}/v2/some/name/blobs/uploads/`, { method: 'POST' });
    assertStatus(answer, 202);
    assert.match(
      String(answer.headers.location),
      /^https:\/\/registry\.example\.com\/v2\/some\/name\/blobs\/uploads\/[0-9a-f-]{36}$/,
    );
  });
});
