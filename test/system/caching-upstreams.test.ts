import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { prepareAccess, startEnforcedServer } from '../support/access.ts';
import { pull, putSecret, randomImage, recorded } from '../support/caching-world.ts';
import { http } from '../support/http.ts';
import { type Image, pushBlob, pushImage, pushManifest } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient } from './aws-client.ts';

const MIB = 1024 * 1024;

/** A cache, and what it takes to use it with any upstream. */
async function cache(): Promise<AsyncDisposable & { server: RunningServer; ecr: ECR; world: { get: Get } }> {
  const server = await startServer({ args: ['--allow-private-upstreams'] });
  const ecr = ecrClient(server.url, { accessKeyId: '000000000000' });
  const get: Get = (path, headers = {}) => http(`${server.url}/v2/${path}`, { headers });
  return { server, ecr, world: { get }, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

type Get = (path: string, headers?: Record<string, string>) => ReturnType<typeof http>;

describe('pull-through cache of another Gantry', () => {
  let image: Image;
  before(() => {
    image = randomImage([MIB, 5]);
  });

  it('takes what is open to everybody', async () => {
    await using upstream = await startServer({ args: ['--create-on-push'] });
    await pushImage(upstream.url, 'team/app', 'v1', image);
    await using cached = await cache();
    const rule = { ecrRepositoryPrefix: 'ROOT', upstreamRegistryUrl: upstream.url };
    await cached.ecr.createPullThroughCacheRule(rule);
    await pull(cached.world, 'team/app', 'v1');
    const detail = await recorded(cached, 'team/app', image.manifest.digest);
    assert.deepEqual(detail.imageTags, ['v1']);
  });

  it('takes what a robot token may pull, and lets in who may import', async () => {
    await using upstream = await startEnforcedServer();
    const theirs = prepareAccess(upstream);
    const token = async (principal: string, actions: string) => {
      const words = ['token', 'create', '--principal', principal, '--actions', actions, '--json'];
      return JSON.parse(await theirs.gantry(words)).password as string;
    };
    await theirs.user('ci', { managed: 'AmazonEC2ContainerRegistryFullAccess' });
    const basic = { Authorization: `Basic ${btoa(`AWS:${await token('user/ci', 'push,pull')}`)}` };
    const { ECR } = await import('@aws-sdk/client-ecr');
    const upstreamEcr = new ECR({ endpoint: upstream.url, region: 'us-east-1', credentials: theirs.root });
    await upstreamEcr.createRepository({ repositoryName: 'team/app' });
    for (const blob of [image.config, ...image.layers]) await pushBlob(upstream.url, 'team/app', blob, basic);
    await pushManifest(upstream.url, 'team/app', 'v1', image.manifest, image.mediaType, basic);

    await using server = await startEnforcedServer({ args: ['--allow-private-upstreams'] });
    const ours = prepareAccess(server);
    const ecr = new ECR({ endpoint: server.url, region: 'us-east-1', credentials: ours.root, maxAttempts: 1 });
    const credentialArn = await putSecret(server.data, 'gantry', 'AWS', await token('user/ci', 'pull'));
    const rule = { ecrRepositoryPrefix: 'their', upstreamRegistryUrl: upstream.url, credentialArn };
    await ecr.createPullThroughCacheRule(rule);
    await ours.user('reader', { managed: 'AmazonEC2ContainerRegistryReadOnly' });
    await ours.user('importer', {
      managed: 'AmazonEC2ContainerRegistryReadOnly',
      statements: [
        { Effect: 'Allow', Action: ['ecr:BatchImportUpstreamImage', 'ecr:CreateRepository'], Resource: '*' },
      ],
    });
    const passwordOf = async (name: string) => {
      const made = await ours.gantry(['token', 'create', '--principal', `user/${name}`, '--actions', 'pull', '--json']);
      return JSON.parse(made).password;
    };
    const getAs = async (name: string): Promise<Get> => {
      const Authorization = `Basic ${btoa(`AWS:${await passwordOf(name)}`)}`;
      return (path, headers = {}) => http(`${server.url}/v2/${path}`, { headers: { ...headers, Authorization } });
    };
    const reader = await getAs('reader');
    const refused = await reader('their/team/app/manifests/v1');
    assert.deepEqual([refused.status, refused.json().errors[0].code], [404, 'NAME_UNKNOWN']);
    const ecrAs = async (statements: object[], name: string) => {
      const credentials = await ours.user(name, { statements });
      return new ECR({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
    };
    const importer = await ecrAs(
      [
        {
          Effect: 'Allow',
          Action: ['ecr:BatchGetImage', 'ecr:BatchImportUpstreamImage', 'ecr:CreateRepository'],
          Resource: '*',
        },
      ],
      'api-importer',
    );
    const got = await importer.batchGetImage({ repositoryName: 'their/team/app', imageIds: [{ imageTag: 'v1' }] });
    assert.equal(got.images?.[0]?.imageId?.imageDigest, image.manifest.digest, JSON.stringify(got.failures));
    await recorded({ ecr }, 'their/team/app', image.manifest.digest);
    await pull({ get: reader }, 'their/team/app', 'v1');
  });
});
