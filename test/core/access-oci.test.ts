import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { HttpAnswer } from '../support/http.ts';
import { basic, bearer, type OciUnderTest, ociUnderTest, type TestUser } from './oci-under-test.ts';

const DAY_SECONDS = 24 * 3600;
const PULL = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchCheckLayerAvailability', 'ecr:ListImages'];

describe('/v2/ where access is enforced', () => {
  let oci: OciUnderTest;
  let alice: TestUser;
  let password: string;
  before(async () => {
    oci = await ociUnderTest();
    const Resource = 'arn:aws:ecr:us-east-1:111122223333:repository/one';
    alice = await oci.user('alice', [{ Effect: 'Allow', Action: PULL, Resource }]);
    password = await oci.passwordOf(alice);
  });
  after(() => oci[Symbol.asyncDispose]());

  it('challenges whoever brings no credentials as ECR does, to the letter', async () => {
    for (const path of ['/v2/', '/v2/one/tags/list', '/v2/one/manifests/latest', '/v2/nothing', '/v2/_catalog']) {
      assertChallenged(await oci.get(path), `http://127.0.0.1:${oci.port}/`);
    }
    const Host = '111122223333.dkr.ecr.us-east-1.localhost';
    assertChallenged(await oci.get('/v2/', { headers: { Host } }), `http://${Host}/`);
  });

  it('challenges credentials that are none of its own', async () => {
    const foreign = await ociUnderTest();
    const theirs = await foreign.passwordOf(await foreign.user('alice', []));
    await foreign[Symbol.asyncDispose]();
    const [keyId, payload = '', signature = ''] = password.split('.');
    const open = await oci.core.registryTokens.issue(
      { kind: 'open', accountId: '111122223333', arn: 'arn:aws:iam::111122223333:root', userId: '111122223333' },
      { accountId: '111122223333', region: 'us-east-1' },
    );
    const wrong = [
      basic('wrong'),
      basic(''),
      basic('', ''),
      basic(theirs),
      basic(`${keyId}.${payload}.${signature.slice(0, -2)}AA`),
      basic(`${keyId}.${Buffer.from('{}').toString('base64url')}.${signature}`),
      basic(`${password}.`),
      basic(open.password),
      basic('gantry_unknown_robot'),
      bearer('wrong'),
      { Authorization: `Basic ${password}` },
      { Authorization: 'Basic' },
      { Authorization: '' },
      { Authorization: `Digest ${password}` },
    ];
    for (const headers of wrong) {
      assertChallenged(await oci.get('/v2/', { headers }), `http://127.0.0.1:${oci.port}/`);
    }
  });

  it('lets /v2/ alone to whoever has credentials, as password or bearer token, under any name', async () => {
    const nobody = await oci.passwordOf(await oci.user('nobody', []));
    for (const headers of [basic(password), basic(password, 'alice'), basic(password, ''), bearer(nobody)]) {
      assert.equal((await oci.get('/v2/', { headers })).status, 200);
    }
  });

  it('decides by the policies of whom a token was made for', async () => {
    const headers = basic(password);
    assert.deepEqual((await oci.get('/v2/one/tags/list', { headers })).json(), { name: 'one', tags: [] });
    assertDenied(await oci.get('/v2/two/tags/list', { headers }), alice.arn, 'ecr:ListImages', 'two');
    assertDenied(await oci.get('/v2/none/manifests/latest', { headers }), alice.arn, 'ecr:BatchGetImage', 'none');
    const digest = `sha256:${'a'.repeat(64)}`;
    const upload = '/v2/one/blobs/uploads/6f9619ff-8b86-4d01-b42d-00c04fc964ff';
    const refused: [method: string, path: string, action: string, repository?: string][] = [
      ['GET', '/v2/_catalog', 'ecr:DescribeRepositories', '*'],
      ['HEAD', '/v2/two/manifests/latest', ''],
      ['GET', `/v2/two/blobs/${digest}`, 'ecr:GetDownloadUrlForLayer', 'two'],
      ['GET', `/v2/two/referrers/${digest}`, 'ecr:BatchGetImage', 'two'],
      ['POST', '/v2/one/blobs/uploads/', 'ecr:InitiateLayerUpload'],
      ['POST', `/v2/one/blobs/uploads/?mount=${digest}&from=two`, 'ecr:InitiateLayerUpload'],
      ['GET', upload, 'ecr:UploadLayerPart'],
      ['PATCH', upload, 'ecr:UploadLayerPart'],
      ['PUT', `${upload}?digest=${digest}`, 'ecr:CompleteLayerUpload'],
      ['DELETE', upload, 'ecr:UploadLayerPart'],
      ['PUT', '/v2/one/manifests/latest', 'ecr:PutImage'],
      ['DELETE', '/v2/one/manifests/latest', 'ecr:BatchDeleteImage'],
      ['DELETE', `/v2/one/blobs/${digest}`, 'ecr:BatchDeleteImage'],
    ];
    for (const [method, path, action, repository = 'one'] of refused) {
      const answer = await oci.get(path, { method, headers });
      if (method === 'HEAD') assert.equal(answer.status, 403);
      else assertDenied(answer, alice.arn, action, repository);
    }
  });

  it('says that a token has expired in the words of ECR', async () => {
    await using late = await ociUnderTest();
    const old = await late.passwordOf(await late.user('bob', []));
    late.pass(DAY_SECONDS / 2 - 1);
    assert.equal((await late.get('/v2/', { headers: basic(old) })).status, 200);
    late.pass(2);
    for (const headers of [basic(old), bearer(old)]) {
      const answer = await late.get('/v2/', { headers });
      assert.equal(answer.status, 403);
      const message = 'Your authorization token has expired. Reauthenticate and try again.';
      assert.deepEqual(answer.json(), { errors: [{ code: 'DENIED', message }] });
    }
  });

  it('lets a token end with the key and the user that it came from', async () => {
    const { identities, directory } = oci.access;
    const carol = await oci.user('carol', []);
    const headers = basic(await oci.passwordOf(carol));
    const status = async () => {
      await directory.refresh();
      return (await oci.get('/v2/', { headers })).status;
    };
    assert.equal(await status(), 200);
    await identities.setAccessKeyActive(carol.accessKeyId, false);
    assert.equal(await status(), 401);
    await identities.setAccessKeyActive(carol.accessKeyId, true);
    assert.equal(await status(), 200);
    await identities.deleteUser(carol.accountId, 'carol');
    await identities.createUser(carol.accountId, 'carol');
    assert.equal(await status(), 401);
  });

  it('takes robot tokens, within their own bounds, until they expire or are revoked', async () => {
    await using later = await ociUnderTest();
    const dave = await later.user('dave', [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*' }]);
    const robot = { principalArn: dave.arn, actions: ['pull'], repositories: ['o*'] } as const;
    const { password: short } = await later.access.robotTokens.create({ ...robot, expiresSeconds: 60 });
    const { password: long, token } = await later.access.robotTokens.create({ ...robot, expiresSeconds: 600 });
    for (const headers of [basic(short), bearer(short), basic(long)]) {
      assert.equal((await later.get('/v2/one/tags/list', { headers })).status, 200);
      const elsewhere = await later.get('/v2/two/tags/list', { headers });
      assertDenied(elsewhere, dave.arn, 'ecr:ListImages', 'two', 'because no session policy allows');
      const push = await later.get('/v2/one/blobs/uploads/', { method: 'POST', headers });
      assertDenied(push, dave.arn, 'ecr:InitiateLayerUpload', 'one', 'because no session policy allows');
    }
    later.pass(61);
    assert.equal((await later.get('/v2/', { headers: basic(short) })).status, 401);
    assert.equal((await later.get('/v2/', { headers: basic(long) })).status, 200);
    await later.revoke(token.id);
    assert.equal((await later.get('/v2/', { headers: basic(long) })).status, 401);
  });
});

function assertChallenged(answer: HttpAnswer, realm: string): void {
  assert.equal(answer.status, 401);
  assert.equal(answer.headers['www-authenticate'], `Basic realm="${realm}",service="ecr.amazonaws.com"`);
  assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0');
  assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(answer.headers['content-length'], '15');
  assert.equal(answer.text(), 'Not Authorized\n');
}

function assertDenied(
  answer: HttpAnswer,
  arn: string,
  action: string,
  repository: string,
  because = 'because no identity-based policy allows',
): void {
  assert.equal(answer.status, 403, answer.text());
  const resource = `arn:aws:ecr:us-east-1:111122223333:repository/${repository}`;
  const message = `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${because} the ${action} action`;
  assert.deepEqual(answer.json(), { errors: [{ code: 'DENIED', message }] });
}
