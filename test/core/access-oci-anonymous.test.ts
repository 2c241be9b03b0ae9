import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Image, randomImage } from '../support/images.ts';
import { call, registry } from './core-under-test.ts';
import { basic, bearer, type OciUnderTest, ociUnderTest, pushAs, type TestUser } from './oci-under-test.ts';

const PULL = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchCheckLayerAvailability'];

describe('pulls without credentials', () => {
  let oci: OciUnderTest;
  let root: TestUser;
  let password: string;
  const image: Image = randomImage();
  before(async () => {
    oci = await ociUnderTest({ anonymousPull: true, createOnPush: true });
    root = await oci.user('admin', [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*' }]);
    password = await oci.passwordOf(root);
    for (const name of ['one', 'two']) await pushAs(oci, basic(password), name, 'v1', image);
    await allowAnyone('one', 'ecr:*');
  });
  after(() => oci[Symbol.asyncDispose]());

  const allowAnyone = (repositoryName: string, Action: string | string[]) =>
    oci.core.policies.putRepositoryPolicy(call, {
      repositoryName,
      policyText: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action }] }),
      force: false,
    });
  const tokenFor = async (headers = {}) => (await oci.get('/auth/token', { headers })).json().token as string;

  it('are sent to the token endpoint', async () => {
    const realm = `Bearer realm="http://127.0.0.1:${oci.port}/auth/token",service="ecr.amazonaws.com"`;
    const expected: [method: string, path: string, challenge: string][] = [
      ['GET', '/v2/', realm],
      ['GET', '/v2/_catalog', `${realm},scope="registry:catalog:*"`],
      ['GET', '/v2/a/b/manifests/latest', `${realm},scope="repository:a/b:pull"`],
      ['PUT', '/v2/a/b/manifests/latest', `${realm},scope="repository:a/b:pull,push"`],
      ['GET', '/v2/a"b/manifests/latest', realm],
    ];
    for (const [method, path, challenge] of expected) {
      const answer = await oci.get(path, { method });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['www-authenticate'], challenge);
      assert.equal(answer.text(), 'Not Authorized\n');
    }
    const wrong = await oci.get('/v2/', { headers: bearer('wrong') });
    assert.equal(wrong.headers['www-authenticate'], `${realm},error="invalid_token"`);
  });

  it('get a token for nobody, with no credentials or with empty ones', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answers = [
      await oci.get('/auth/token?service=ecr.amazonaws.com&scope=repository:one:pull'),
      await oci.get('/auth/token', { headers: basic('', '') }),
      await oci.get('/auth/token', { method: 'POST', headers: form, body: 'grant_type=password&username=&password=' }),
      await oci.get('/auth/token', { method: 'POST' }),
    ];
    for (const answer of answers) {
      assert.equal(answer.status, 200, answer.text());
      assert.equal(answer.headers['cache-control'], 'no-store');
      const { token, access_token, expires_in, issued_at } = answer.json();
      assert.equal(access_token, token);
      assert.equal(expires_in, 12 * 3600);
      assert.equal(issued_at, '2026-03-01T00:00:00.000Z');
      assert.equal((await oci.get('/v2/', { headers: bearer(token) })).status, 200);
    }
  });

  it('reach what the policy of a repository gives to anyone, and of that the pull alone', async () => {
    const headers = bearer(await tokenFor());
    const allowed = [`manifests/v1`, `manifests/${image.manifest.digest}`, `blobs/${image.config.digest}`];
    for (const path of allowed) {
      for (const method of ['GET', 'HEAD']) {
        assert.equal((await oci.get(`/v2/one/${path}`, { method, headers })).status, 200);
      }
      assert.equal((await oci.get(`/v2/two/${path}`, { headers })).status, 403);
      assert.equal((await oci.get(`/v2/none/${path}`, { headers })).status, 403);
    }
    const refused: [method: string, path: string][] = [
      ['GET', '/v2/_catalog'],
      ['GET', '/v2/one/tags/list'],
      ['PUT', '/v2/one/manifests/v2'],
      ['DELETE', '/v2/one/manifests/v1'],
      ['DELETE', `/v2/one/blobs/${image.config.digest}`],
      ['POST', '/v2/one/blobs/uploads/'],
      ['POST', `/v2/one/blobs/uploads/?mount=${image.config.digest}&from=one`],
      ['POST', '/v2/new/blobs/uploads/'],
    ];
    for (const [method, path] of refused) {
      const answer = await oci.get(path, { method, headers });
      assert.equal(answer.status, 403, `${method} ${path}`);
      assert.match(answer.json().errors[0].message, /^User: anonymous is not authorized to perform: ecr:/);
    }
  });

  it('end where the policy does', async () => {
    await allowAnyone('two', PULL);
    const headers = bearer(await tokenFor());
    assert.equal((await oci.get('/v2/two/manifests/v1', { headers })).status, 200);
    await oci.core.policies.deleteRepositoryPolicy(call, 'two');
    assert.equal((await oci.get('/v2/two/manifests/v1', { headers })).status, 403);
  });

  it('leave callers with credentials what they may, by password or by token', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams({ grant_type: 'password', username: 'AWS', password });
    const kept = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: password });
    const tokens = [
      await tokenFor(basic(password)),
      (await oci.get('/auth/token', { method: 'POST', headers: form, body: `${body}` })).json().access_token,
      (await oci.get('/auth/token', { method: 'POST', headers: form, body: `${kept}` })).json().access_token,
    ];
    for (const headers of [...tokens.map(bearer), basic(password)]) {
      assert.deepEqual((await oci.get('/v2/two/tags/list', { headers })).json(), { name: 'two', tags: ['v1'] });
    }
  });

  it('are not what a wrong password gets', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answers = [
      await oci.get('/auth/token', { headers: basic('wrong') }),
      await oci.get('/auth/token', { headers: basic('') }),
      await oci.get('/auth/token', { headers: { Authorization: 'Basic ***' } }),
      await oci.get('/auth/token', { method: 'POST', headers: form, body: 'username=AWS&password=wrong' }),
      await oci.get('/auth/token', { method: 'POST', headers: form, body: 'refresh_token=wrong' }),
    ];
    for (const answer of answers) {
      assert.equal(answer.status, 401, answer.text());
      assert.equal(answer.json().errors[0].code, 'UNAUTHORIZED');
      assert.match(String(answer.headers['www-authenticate']), /^Basic realm="http:/);
    }
    assert.equal((await oci.get('/auth/token', { method: 'PUT' })).status, 405);
    const large = await oci.get('/auth/token', { method: 'POST', headers: form, body: 'x'.repeat(65 * 1024) });
    assert.equal(large.status, 413);
  });

  it('never lengthen the life of a token', async () => {
    await using later = await ociUnderTest({ anonymousPull: true });
    const short = await later.passwordOf(await later.user('frank', []));
    later.pass(11 * 3600);
    const { token, expires_in } = (await later.get('/auth/token', { headers: basic(short) })).json();
    assert.equal(expires_in, 3600);
    later.pass(3601);
    assert.equal((await later.get('/v2/', { headers: bearer(token) })).status, 403);
    const expired = await later.get('/auth/token', { headers: basic(short) });
    assert.equal(expired.status, 403);
    assert.match(expired.json().errors[0].message, /^Your authorization token has expired/);

    const { arn } = await later.user('robot-owner', []);
    const robot = { principalArn: arn, actions: ['pull'], repositories: ['*'], expiresSeconds: 100 } as const;
    const { password: robotPassword } = await later.access.robotTokens.create(robot);
    const ofRobot = (await later.get('/auth/token', { headers: basic(robotPassword) })).json().token;
    assert.equal((await later.get('/v2/', { headers: bearer(ofRobot) })).status, 200);
    later.pass(101);
    assert.equal((await later.get('/v2/', { headers: bearer(ofRobot) })).status, 401);
  });

  it('are not to be had without the flag, by an old token either', async () => {
    await using strict = await ociUnderTest();
    const old = await strict.core.registryTokens.issue(
      { kind: 'anonymous', accountId: '', arn: '', userId: '' },
      registry,
    );
    for (const headers of [bearer(old.password), basic(old.password)]) {
      const answer = await strict.get('/v2/', { headers });
      assert.equal(answer.status, 401);
      assert.match(String(answer.headers['www-authenticate']), /^Basic /);
    }
  });
});
