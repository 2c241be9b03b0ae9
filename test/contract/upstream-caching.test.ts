import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ECR } from '@aws-sdk/client-ecr';
import { createUpstreamRegistry } from '../../src/drivers/upstreams/upstream-registry.ts';
import { indexOf, pull, putSecret, randomImage, recorded } from '../support/caching-world.ts';
import { http } from '../support/http.ts';
import { mediaTypes } from '../support/images.ts';
import { startServer } from '../support/server.ts';
import { startDistribution, whyNoDistribution } from '../upstreams/distribution.ts';
import { sourceOf } from '../upstreams/sources.ts';

const MIB = 1024 * 1024;

describe('pull-through cache of distribution with a token service', { skip: whyNoDistribution() ?? false }, () => {
  it('takes an index and its images, with a token for nobody and one for a secret', async () => {
    await using registry = await startDistribution();
    const [one, other] = [randomImage([2 * MIB, 10]), randomImage([300_000])];
    const index = indexOf([one, other]);
    await using pusher = createUpstreamRegistry(
      { url: registry.url, credentials: registry.credentials },
      { allowPrivate: true },
    );
    for (const image of [one, other]) {
      for (const { bytes } of [image.config, ...image.layers]) await pusher.uploadBlob('team/app', sourceOf(bytes));
      const content = { content: image.manifest.bytes, mediaType: image.mediaType };
      await pusher.putManifest('team/app', image.manifest.digest, content);
    }
    await pusher.putManifest('team/app', 'v1', { content: index.bytes, mediaType: mediaTypes.index });
    await using server = await startServer({ args: ['--allow-private-upstreams'] });
    const credentials = { accessKeyId: '000000000000', secretAccessKey: 'any' };
    const ecr = new ECR({ endpoint: server.url, region: 'us-east-1', maxAttempts: 1, credentials });
    const get = (path: string, headers = {}) => http(`${server.url}/v2/${path}`, { headers });
    const { username, password } = registry.credentials;
    const credentialArn = await putSecret(server.data, 'distribution', username, password);
    const rule = { upstreamRegistryUrl: registry.url };
    await ecr.createPullThroughCacheRule({ ...rule, ecrRepositoryPrefix: 'nobody' });
    await ecr.createPullThroughCacheRule({ ...rule, ecrRepositoryPrefix: 'somebody', credentialArn });
    for (const prefix of ['nobody', 'somebody']) {
      const answer = await get(`${prefix}/team/app/manifests/v1`);
      assert.ok(answer.body.equals(index.bytes), answer.text());
      await pull({ get }, `${prefix}/team/app`, one.manifest.digest);
      const detail = await recorded({ ecr }, `${prefix}/team/app`, index.digest);
      assert.deepEqual(detail.imageTags, ['v1']);
      await pull({ get }, `${prefix}/team/app`, other.manifest.digest);
      const validated = await ecr.validatePullThroughCacheRule({ ecrRepositoryPrefix: prefix });
      assert.deepEqual([validated.isValid, validated.failure], [true, undefined]);
    }
    const wrong = await putSecret(server.data, 'wrong', username, 'wrong');
    await ecr.createPullThroughCacheRule({ ...rule, ecrRepositoryPrefix: 'wrong', credentialArn: wrong });
    const validated = await ecr.validatePullThroughCacheRule({ ecrRepositoryPrefix: 'wrong' });
    assert.equal(validated.isValid, false);
    const refused = await get('wrong/team/app/manifests/v1');
    assert.equal(refused.status, 502);
    const batch = ecr.batchGetImage({ repositoryName: 'wrong/team/app', imageIds: [{ imageTag: 'v1' }] });
    await assert.rejects(batch, { name: 'UnableToGetUpstreamImageException' });
  });
});
