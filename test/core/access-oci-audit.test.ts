import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomImage } from '../support/images.ts';
import { basic, ociUnderTest, pushAs } from './oci-under-test.ts';

describe('the audit trail of /v2/', () => {
  it('has one entry for each request, and none for a ping', async () => {
    await using oci = await ociUnderTest();
    const heidi = await oci.user('heidi', [{ Sid: 'All', Effect: 'Allow', Action: 'ecr:*', Resource: '*' }]);
    const headers = { ...basic(await oci.passwordOf(heidi)), 'User-Agent': 'docker/29' };
    await oci.get('/v2/');
    await oci.get('/v2/', { headers: basic('') });
    await oci.get('/v2/', { headers });
    const image = randomImage();
    await pushAs(oci, headers, 'one', 'v1', image);
    await oci.get('/v2/one/manifests/v1', { headers });
    await oci.get(`/v2/one/manifests/${image.manifest.digest}`, { headers, method: 'HEAD' });
    await oci.get(`/v2/one/blobs/${image.config.digest}`, { headers });
    await oci.get(`/v2/two/blobs/uploads/?mount=${image.config.digest}&from=one`, { method: 'POST', headers });
    await oci.get('/v2/_catalog', { headers });
    const [config, layer] = [image.config.digest, image.layers[0]?.digest];
    assert.deepEqual(
      oci.audited.map(({ eventName, requestParameters }) => [eventName, requestParameters]),
      [
        ['InitiateLayerUpload', { repositoryName: 'one', layerDigest: config }],
        ['InitiateLayerUpload', { repositoryName: 'one', layerDigest: layer }],
        ['PutImage', { repositoryName: 'one', imageTag: 'v1' }],
        ['BatchGetImage', { repositoryName: 'one', imageTag: 'v1' }],
        ['BatchGetImage', { repositoryName: 'one', imageDigest: image.manifest.digest }],
        ['GetDownloadUrlForLayer', { repositoryName: 'one', layerDigest: config }],
        ['InitiateLayerUpload', { repositoryName: 'two', layerDigest: config, mountFrom: 'one' }],
        ['DescribeRepositories', {}],
      ],
    );
    for (const { caller, sourceIp, userAgent, decision, error, registry, at } of oci.audited) {
      assert.equal(caller?.arn, heidi.arn);
      assert.equal(registry?.accountId, heidi.accountId);
      assert.equal(sourceIp, '127.0.0.1');
      assert.equal(userAgent, 'docker/29');
      assert.match(String(decision), /^allowed-by-identity: identity policy 'user\/heidi: own', statement All$/);
      assert.equal(error, undefined);
      assert.equal(at.toISOString(), '2026-03-01T00:00:00.000Z');
    }
    assert.deepEqual(oci.audited[3]?.resources, ['arn:aws:ecr:us-east-1:111122223333:repository/one']);
    assert.equal(new Set(oci.audited.map(({ requestId }) => requestId)).size, 8);
  });

  it('tells who was kept out and why, and no secret', async () => {
    await using oci = await ociUnderTest({ anonymousPull: true });
    const ivan = await oci.user('ivan', []);
    const password = await oci.passwordOf(ivan);
    const headers = basic(password);
    await oci.get('/v2/one/manifests/v1');
    await oci.get('/v2/', { headers: basic('hunter2') });
    await oci.get('/v2/one/manifests/v1', { headers: basic('hunter2') });
    await oci.get('/v2/one/manifests/v1', { headers });
    await oci.get('/v2/nothing/here', { headers });
    await oci.get('/auth/token', { headers });
    await oci.get('/auth/token', { headers: basic('hunter2') });
    await oci.get('/auth/token');
    oci.pass(13 * 3600);
    await oci.get('/v2/', { headers });
    assert.deepEqual(
      oci.audited.map(({ eventName, caller, error }) => [eventName, caller?.arn, error?.code]),
      [
        ['BatchGetImage', undefined, 'UNAUTHORIZED'],
        ['Authenticate', undefined, 'UNAUTHORIZED'],
        ['BatchGetImage', undefined, 'UNAUTHORIZED'],
        ['BatchGetImage', ivan.arn, 'DENIED'],
        ['UnknownRoute', ivan.arn, 'UNSUPPORTED'],
        ['GetAuthorizationToken', ivan.arn, undefined],
        ['GetAuthorizationToken', undefined, 'UNAUTHORIZED'],
        ['GetAuthorizationToken', '', undefined],
        ['Authenticate', undefined, 'DENIED'],
      ],
    );
    const text = JSON.stringify(oci.audited);
    for (const secret of ['hunter2', password, headers.Authorization.slice(6)]) assert.ok(!text.includes(secret));
  });
});
