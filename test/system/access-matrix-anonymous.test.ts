import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Access, ecrCall, passwordOf, policyOf, prepareAccess, startEnforcedServer } from '../support/access.ts';
import { http } from '../support/http.ts';
import type { RunningServer } from '../support/server.ts';
import { ROUTE_ROWS, type RouteRow } from './access-matrix-routes.ts';

/** All that there is for clients without credentials, and that only where a policy names everybody. */
const PULLS: ReadonlySet<string> = new Set([
  'GET NAME/manifests/kept',
  'HEAD NAME/manifests/kept',
  'GET NAME/referrers/',
  'GET NAME/blobs/',
  'HEAD NAME/blobs/',
]);

describe('clients without credentials, where they may pull', () => {
  let server: RunningServer;
  let access: Access;
  let bearer: Record<string, string>;
  before(async () => {
    server = await startEnforcedServer({ args: ['--anonymous-pull'] });
    access = prepareAccess(server);
    const { token } = (await http(`${server.url}/auth/token`)).json();
    bearer = { Authorization: `Bearer ${token}` };
    const everything = { Effect: 'Allow', Action: 'ecr:*' };
    await create('public/all', { ...everything, Principal: '*' });
    await create('private/account', { ...everything, Principal: { AWS: '000000000000' } });
    await create(
      'private/denied',
      { ...everything, Principal: '*' },
      { ...everything, Effect: 'Deny', Principal: '*' },
    );
  });
  after(() => server[Symbol.asyncDispose]());

  async function create(repositoryName: string, ...statements: object[]): Promise<void> {
    for (const [operation, input] of [
      ['CreateRepository', { repositoryName }],
      ['SetRepositoryPolicy', { repositoryName, policyText: policyOf(...statements), force: true }],
    ] as const) {
      const answer = await ecrCall(server.url, operation, input, access.root);
      assert.equal(answer.status, 200, answer.text());
    }
  }

  async function statusOf({ method, path, body }: RouteRow, name: string, headers = bearer): Promise<number> {
    const length = body === undefined ? {} : { 'Content-Length': String(body.length) };
    const url = `${server.url}/v2/${path.replace('NAME', name)}`;
    return (await http(url, { method, body, headers: { ...length, ...headers } })).status;
  }

  for (const row of ROUTE_ROWS) {
    const action = `${row.method} ${row.path.replace(/sha256:.*/, '')}`;
    const isPull = PULLS.has(action);
    it(`${action} is ${row.on === 'nothing' || isPull ? '' : 'not '}theirs`, async () => {
      assert.equal(await statusOf(row, 'public/all', {}), 401);
      if (row.on === 'nothing') return assert.equal(await statusOf(row, ''), 200);
      const status = await statusOf(row, 'public/all');
      if (isPull) assert.ok(status === 200 || status === 404, String(status));
      else assert.equal(status, 403);
      for (const name of ['private/account', 'private/denied', 'private/missing']) {
        assert.equal(await statusOf(row, name), 403, name);
      }
    });
  }

  it('sign nothing and make nothing', async () => {
    for (const operation of ['GetAuthorizationToken', 'BatchGetImage', 'ListImages']) {
      const answer = await ecrCall(server.url, operation, { repositoryName: 'public/all' }, undefined);
      assert.equal(answer.json().__type, 'MissingAuthenticationTokenException');
    }
    const { repositories } = (await ecrCall(server.url, 'DescribeRepositories', {}, access.root)).json();
    assert.deepEqual(repositories.map(({ repositoryName }: { repositoryName: string }) => repositoryName).sort(), [
      'private/account',
      'private/denied',
      'public/all',
    ]);
    assert.equal(await statusOf(ROUTE_ROWS[0]!, '', { Authorization: 'Bearer x' }), 401);
    assert.ok((await passwordOf(server.url, access.root)).length > 20);
  });
});
