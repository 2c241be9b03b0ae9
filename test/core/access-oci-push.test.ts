import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { blobOf, randomImage } from '../support/images.ts';
import { call, registry } from './core-under-test.ts';
import { basic, type OciUnderTest, ociUnderTest, pushAs } from './oci-under-test.ts';

const PUSH = [
  'ecr:BatchCheckLayerAvailability',
  'ecr:InitiateLayerUpload',
  'ecr:UploadLayerPart',
  'ecr:CompleteLayerUpload',
  'ecr:PutImage',
];
const repository = (name: string, account = registry.accountId) =>
  `arn:aws:ecr:us-east-1:${account}:repository/${name}`;

describe('a push where access is enforced', () => {
  let oci: OciUnderTest;
  before(async () => {
    oci = await ociUnderTest({ createOnPush: true });
  });
  after(() => oci[Symbol.asyncDispose]());

  const headersOf = async (name: string, statements: object[], account?: string) =>
    basic(await oci.passwordOf(await oci.user(name, statements, account)));

  it('needs what the ECR user guide lists for it, and no more', async () => {
    const headers = await headersOf('pusher', [{ Effect: 'Allow', Action: PUSH, Resource: repository('one') }]);
    assert.deepEqual(await pushAs(oci, headers, 'one', 'v1', randomImage()), [201, 201, 201]);
    assert.equal((await oci.get('/v2/one/manifests/v1', { headers })).status, 403);
    for (const [at, missing] of PUSH.entries()) {
      if (missing === 'ecr:BatchCheckLayerAvailability') continue;
      const Action = PUSH.filter((action) => action !== missing);
      const lacking = await headersOf(`lacking-${at}`, [{ Effect: 'Allow', Action, Resource: repository('one') }]);
      assert.ok((await pushAs(oci, lacking, 'one', 'v2', randomImage())).includes(403), missing);
    }
  });

  it('needs the permission to send bytes also where they come with the end', async () => {
    const Action = ['ecr:InitiateLayerUpload', 'ecr:CompleteLayerUpload'];
    const headers = await headersOf('byteless', [{ Effect: 'Allow', Action, Resource: repository('one') }]);
    const { bytes, digest } = blobOf('some bytes');
    const started = await oci.get('/v2/one/blobs/uploads/', { method: 'POST', headers });
    assert.equal(started.status, 202);
    const put = (body?: Buffer) =>
      oci.get(`${started.headers.location}?digest=${digest}`, { method: 'PUT', headers, body });
    const refused = await put(bytes);
    assert.equal(refused.status, 403);
    assert.match(refused.json().errors[0].message, /ecr:UploadLayerPart on resource/);
    // Nothing of it was kept: what ends without bytes does not have their digest.
    assert.equal((await put()).status, 400);
  });

  it('makes its repository only for whoever may create it', async () => {
    const Resource = repository('new/*');
    const pusher = await headersOf('not-creator', [{ Effect: 'Allow', Action: PUSH, Resource }]);
    const answer = await oci.get('/v2/new/a/blobs/uploads/', { method: 'POST', headers: pusher });
    assert.equal(answer.status, 403);
    assert.match(answer.json().errors[0].message, /ecr:CreateRepository on resource: .*:repository\/new\/a because/);
    assert.ok((await pushAs(oci, pusher, 'new/a', 'v1', randomImage())).every((status) => status === 403));
    const mount = `/v2/new/a/blobs/uploads/?mount=${blobOf('x').digest}&from=one`;
    assert.equal((await oci.get(mount, { method: 'POST', headers: pusher })).status, 403);
    assert.deepEqual((await oci.core.repositories.list(call, { after: '', limit: 10 })).repositories.length, 2);
    const Action = [...PUSH, 'ecr:CreateRepository'];
    const creator = await headersOf('creator', [{ Effect: 'Allow', Action, Resource }]);
    assert.deepEqual(await pushAs(oci, creator, 'new/a', 'v1', randomImage()), [201, 201, 201]);
    assert.deepEqual(await pushAs(oci, pusher, 'new/a', 'v2', randomImage()), [201, 201, 201]);
  });

  it('says that a repository is missing where none is made', async () => {
    await using strict = await ociUnderTest();
    const eve = await strict.user('eve', [{ Effect: 'Allow', Action: PUSH, Resource: '*' }]);
    const headers = basic(await strict.passwordOf(eve));
    const answer = await strict.get('/v2/missing/blobs/uploads/', { method: 'POST', headers });
    assert.equal(answer.status, 404);
    assert.equal(answer.json().errors[0].code, 'NAME_UNKNOWN');
  });

  it('mounts only what the caller may read', async () => {
    const all = await headersOf('everything', [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*' }]);
    const image = randomImage();
    await pushAs(oci, all, 'two', 'v1', image);
    const path = `/v2/one/blobs/uploads/?mount=${image.config.digest}&from=two`;
    const Statement = { Effect: 'Allow', Action: PUSH, Resource: repository('one') };
    const pusher = await headersOf('mounting', [Statement]);
    assert.equal((await oci.get(path, { method: 'POST', headers: pusher })).status, 202);
    assert.equal((await oci.get(path, { method: 'POST', headers: all })).status, 201);
  });

  it('reaches another account only where both allow, and in the region of the token', async () => {
    const other = '222233334444';
    const theirs = { caller: call.caller, registry: { accountId: other, region: 'us-east-1' } };
    await oci.core.repositories.create(theirs, { repositoryName: 'shared' });
    const Host = `${other}.dkr.ecr.us-east-1.localhost:${oci.port}`;
    const grace = await oci.user('grace', [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*' }]);
    const headers = { ...basic(await oci.passwordOf(grace)), Host };
    const list = () => oci.get('/v2/shared/tags/list', { headers });
    assert.match((await list()).json().errors[0].message, /because no resource-based policy allows/);
    assert.equal((await oci.get('/v2/_catalog', { headers })).status, 403);
    await oci.core.policies.putRepositoryPolicy(theirs, {
      repositoryName: 'shared',
      policyText: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: registry.accountId }, Action: 'ecr:ListImages' }],
      }),
      force: false,
    });
    assert.deepEqual((await list()).json(), { name: 'shared', tags: [] });
    const own = await headersOf('no-identity', []);
    assert.equal((await oci.get('/v2/shared/tags/list', { headers: { ...own, Host } })).status, 403);

    const elsewhere = basic(await oci.passwordOf(grace, 'eu-west-1'));
    assert.equal((await oci.get('/v2/', { headers: elsewhere })).status, 200);
    const refused = await oci.get('/v2/shared/tags/list', { headers: { ...elsewhere, Host } });
    assert.equal(refused.status, 403);
    assert.match(refused.json().errors[0].message, /another region/);
  });

  it('is decided with the address it comes from', async () => {
    const allow = { Effect: 'Allow', Action: 'ecr:*', Resource: '*' };
    const near = { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } };
    const far = { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } };
    const secure = { Bool: { 'aws:SecureTransport': 'true' } };
    for (const [at, [Condition, status]] of (
      [
        [near, 200],
        [far, 403],
        [secure, 403],
      ] as const
    ).entries()) {
      const headers = await headersOf(`from-${at}`, [{ ...allow, Condition }]);
      assert.equal((await oci.get('/v2/one/tags/list', { headers })).status, status);
    }
  });
});
