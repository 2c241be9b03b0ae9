import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { randomImage } from '../support/images.ts';
import {
  type AccessKeyPair,
  type EnforcedServer,
  eventually,
  httpAs,
  pushImageAs,
  startEnforcedServer,
} from './access-server.ts';

describe('the commands of access, beside a running server', () => {
  let enforced: EnforcedServer;
  let alice: AccessKeyPair;
  const nameOfFailure = (key: AccessKeyPair) => () =>
    enforced
      .ecr(key)
      .describeRepositories({})
      .then(
        () => 'none',
        (error: Error) => error.name,
      );
  const passwordOf = async (key: AccessKeyPair) => {
    const { authorizationData } = await enforced.ecr(key).getAuthorizationToken({});
    const token = Buffer.from(String(authorizationData?.[0]?.authorizationToken), 'base64').toString();
    return token.slice('AWS:'.length);
  };
  const statusWith = (password: string, path: string) => async () =>
    (await httpAs(password, `${enforced.server.url}${path}`)).status;

  before(async () => {
    enforced = await startEnforcedServer();
    await enforced.ecr(enforced.rootKey).createRepository({ repositoryName: 'team/app' });
    await enforced.ecr(enforced.rootKey).createRepository({ repositoryName: 'other' });
    alice = await enforced.userWith('alice', 'PowerUser');
  });
  after(() => enforced[Symbol.asyncDispose]());

  it('let a new user in, as far as its policies go', async () => {
    await eventually(nameOfFailure(alice), 'none');
    const { gantry } = enforced;
    await gantry('policy', 'detach', '--user', 'alice', '--managed', 'PowerUser');
    await eventually(nameOfFailure(alice), 'AccessDeniedException');
    await gantry('group', 'create', 'builders');
    await gantry('group', 'add', 'builders', 'alice');
    await gantry('policy', 'attach', '--group', 'builders', '--managed', 'PowerUser');
    await eventually(nameOfFailure(alice), 'none');
  });

  it('say before what the server then does', async () => {
    const words = ['explain', '--principal', 'user/alice', '--resource', 'team/app', '--action'];
    assert.match(await enforced.gantry(...words, 'ecr:DeleteRepository'), / may not perform /);
    const failed = enforced.ecr(alice).deleteRepository({ repositoryName: 'team/app' });
    await assert.rejects(failed, { name: 'AccessDeniedException' });
    assert.match(await enforced.gantry(...words, 'ecr:PutImage'), / may perform .*policy 'Amazon\w+PowerUser'/);
  });

  it('shut a disabled key out, with the docker password made by it, and let it in again', async () => {
    const password = await passwordOf(alice);
    const status = statusWith(password, '/v2/team/app/tags/list');
    assert.equal(await status(), 200);
    await enforced.gantry('key', 'disable', alice.accessKeyId);
    await eventually(nameOfFailure(alice), 'UnrecognizedClientException');
    await eventually(status, 401);
    await enforced.gantry('key', 'enable', alice.accessKeyId);
    await eventually(nameOfFailure(alice), 'none');
    await eventually(status, 200);
  });

  it('make a token that works within its bounds, show its use, and revoke it', async () => {
    const create = [
      'token',
      'create',
      '--principal',
      'user/alice',
      '--actions',
      'pull,push',
      '--repositories',
      'team/*',
    ];
    const { password, id } = JSON.parse(await enforced.gantry(...create, '--json'));
    const { url } = enforced.server;
    await eventually(statusWith(password, '/v2/team/app/tags/list'), 200);
    assert.equal((await pushImageAs(password, url, 'team/app', randomImage())).status, 201);
    assert.equal((await httpAs(password, `${url}/v2/other/tags/list`)).status, 403);
    assert.doesNotMatch(await enforced.gantry('token', 'list'), / never\n$/);
    await enforced.gantry('token', 'revoke', id);
    await eventually(statusWith(password, '/v2/team/app/tags/list'), 401);
  });

  it('end everything of a deleted user, also for the next one of that name', async () => {
    const password = await passwordOf(alice);
    await enforced.gantry('user', 'delete', 'alice');
    await eventually(nameOfFailure(alice), 'UnrecognizedClientException');
    await enforced.userWith('alice', 'PowerUser');
    await eventually(statusWith(password, '/v2/team/app/tags/list'), 401);
    await eventually(nameOfFailure(alice), 'UnrecognizedClientException');
  });
});
