import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRateLimiter } from '../../src/http/rate-limit.ts';
import { basic, ociUnderTest } from './oci-under-test.ts';

describe('rates under /v2/', () => {
  it('are each principal’s own, and say so as ECR does when they are exceeded', async () => {
    const throttle = createRateLimiter({ ListImages: { perSecond: 1, burst: 2 } }, () => 0);
    await using oci = await ociUnderTest({ throttle });
    const allow = [{ Effect: 'Allow', Action: 'ecr:ListImages', Resource: '*' }];
    const judy = basic(await oci.passwordOf(await oci.user('judy', allow)));
    const kim = basic(await oci.passwordOf(await oci.user('kim', allow)));
    const list = async (headers: { Authorization: string }) => oci.get('/v2/one/tags/list', { headers });
    for (const wanted of [200, 200, 429, 429]) assert.equal((await list(judy)).status, wanted);
    assert.deepEqual((await list(judy)).json(), { errors: [{ code: 'TOOMANYREQUESTS', message: 'Rate exceeded' }] });
    assert.equal((await list(kim)).status, 200);
    assert.equal((await oci.get('/v2/', { headers: judy })).status, 200);
    assert.equal(oci.audited.at(-2)?.error?.code, 'TOOMANYREQUESTS');
  });
});
