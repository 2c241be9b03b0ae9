import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { pushImage, randomImage } from '../support/images.ts';
import { run } from '../support/programs.ts';
import { checkout, cleanEnvironment, pinnedNode, type RunningServer, startServer } from '../support/server.ts';
import { ecrClient } from './aws-client.ts';
import { migration } from './migration-world.ts';

const statement = { Sid: 'Pull', Effect: 'Allow', Principal: '*', Action: ['ecr:BatchGetImage'] };
const repositoryPolicy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
const registryPolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'Replicate',
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::222222222222:root' },
      Action: ['ecr:ReplicateImage'],
      Resource: ['arn:aws:ecr:us-east-1:000000000000:repository/*'],
    },
  ],
});
const lifecyclePolicy = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 3 },
      action: { type: 'expire' },
    },
  ],
});
const replication = {
  rules: [
    {
      destinations: [{ region: 'eu-west-1', registryId: '000000000000' }],
      repositoryFilters: [{ filter: 'prod/', filterType: 'PREFIX_MATCH' as const }],
    },
  ],
};

async function configure(server: RunningServer): Promise<void> {
  const ecr = ecrClient(server.url);
  await ecr.createRepository({
    repositoryName: 'prod/app',
    imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
    imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
    imageScanningConfiguration: { scanOnPush: true },
    tags: [{ Key: 'team', Value: 'blue' }],
  });
  await ecr.createRepository({ repositoryName: 'empty' });
  await ecr.setRepositoryPolicy({ repositoryName: 'prod/app', policyText: repositoryPolicy });
  await ecr.putLifecyclePolicy({ repositoryName: 'prod/app', lifecyclePolicyText: lifecyclePolicy });
  await ecr.putRegistryPolicy({ policyText: registryPolicy });
  await ecr.putReplicationConfiguration({ replicationConfiguration: replication });
  await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'k8s', upstreamRegistryUrl: 'registry.k8s.io' });
  await ecr.createRepositoryCreationTemplate({
    prefix: 'cache',
    appliedFor: ['PULL_THROUGH_CACHE'],
    imageTagMutability: 'IMMUTABLE',
    resourceTags: [{ Key: 'from', Value: 'cache' }],
  });
  await ecr.createRepositoryCreationTemplate({
    prefix: 'plain',
    appliedFor: ['CREATE_ON_PUSH'],
    description: 'as it is',
  });
}

/** All that has been configured, as the ECR API tells it. */
async function settingsOf(ecr: ECR) {
  const { repositories = [] } = await ecr.describeRepositories({});
  const repositoryName = 'prod/app';
  const { repositoryArn: resourceArn } = repositories.find((each) => each.repositoryName === repositoryName) ?? {};
  const { repositoryCreationTemplates = [] } = await ecr.describeRepositoryCreationTemplates({});
  const { pullThroughCacheRules = [] } = await ecr.describePullThroughCacheRules({});
  return {
    cacheRules: pullThroughCacheRules.map(({ createdAt: _, updatedAt: _at, ...rest }) => rest),
    repositories: repositories.map(({ createdAt: _, repositoryUri: _uri, ...rest }) => rest),
    tags: (await ecr.listTagsForResource({ resourceArn })).tags,
    repositoryPolicy: JSON.parse((await ecr.getRepositoryPolicy({ repositoryName })).policyText ?? ''),
    lifecycle: (await ecr.getLifecyclePolicy({ repositoryName })).lifecyclePolicyText,
    registryPolicy: JSON.parse((await ecr.getRegistryPolicy({})).policyText ?? ''),
    replication: (await ecr.describeRegistry({})).replicationConfiguration,
    templates: repositoryCreationTemplates.map(({ createdAt: _, updatedAt: _at, ...rest }) => rest),
  };
}

const key = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };

describe('gantry import and export with an ECR registry', () => {
  it('takes every setting along, both ways, and puts none twice', async () => {
    await using source = await startServer();
    await using target = await startServer();
    await configure(source);
    const image = randomImage();
    await pushImage(source.url, 'prod/app', 'v1', image);
    const gantry = migration(target.data, key);
    const from = `ecr:us-east-1,endpoint=${source.url}`;
    const words = ['import', '--from', from, '--allow-private', '--with-settings', '--json'];

    const dry = await gantry(...words, '--dry-run');
    assert.equal(dry.code, 0, dry.stdout + dry.stderr);
    assert.equal((await ecrClient(target.url).describeRepositories({})).repositories?.length, 0);

    const first = await gantry(...words);
    assert.equal(first.code, 0, first.stdout + first.stderr);
    const expected = await settingsOf(ecrClient(source.url));
    assert.deepEqual(await settingsOf(ecrClient(target.url)), expected);
    const { images } = await ecrClient(target.url).batchGetImage({
      repositoryName: 'prod/app',
      imageIds: [{ imageTag: 'v1' }],
    });
    assert.equal(images?.[0]?.imageManifest, image.manifest.bytes.toString());
    assert.deepEqual(JSON.parse(dry.stdout).settings, JSON.parse(first.stdout).settings);

    const again = JSON.parse((await gantry(...words)).stdout);
    assert.partialDeepStrictEqual(again, { images: { copied: 0, present: 1 }, settings: { put: 0, failed: 0 } });

    await using third = await startServer();
    const to = `ecr:us-east-1,endpoint=${third.url}`;
    const exported = await gantry('export', '--to', to, '--allow-private', '--with-settings');
    assert.equal(exported.code, 0, exported.stdout + exported.stderr);
    assert.deepEqual(await settingsOf(ecrClient(third.url)), expected);
    const rerun = await gantry('export', '--to', to, '--allow-private', '--with-settings');
    assert.match(rerun.stdout, /^Settings: 0 put, \d+ were so already, 0 failed\.$/m);
  });

  it('makes an existing repository the same, and leaves what only it has', async () => {
    await using source = await startServer();
    await using target = await startServer();
    await configure(source);
    const ecr = ecrClient(target.url);
    const { repository } = await ecr.createRepository({
      repositoryName: 'prod/app',
      tags: [{ Key: 'own', Value: 'kept' }],
    });
    const words = ['import', '--from', `ecr:us-east-1,endpoint=${source.url}`, '--allow-private', '--with-settings'];
    const ran = await migration(target.data, key)(...words, '--repositories', 'prod/app');
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /^Note: Settings of the registry as a whole come with all repositories/m);
    const { tags } = await ecr.listTagsForResource({ resourceArn: repository?.repositoryArn });
    assert.deepEqual(new Set(tags?.map(({ Key }) => Key)), new Set(['own', 'team']));
    const { repositories } = await ecr.describeRepositories({ repositoryNames: ['prod/app'] });
    assert.partialDeepStrictEqual(repositories?.[0], {
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageScanningConfiguration: { scanOnPush: true },
    });
    assert.equal((await ecr.describeRegistry({})).replicationConfiguration?.rules?.length, 0);
  });

  it('leaves out a cache rule whose secret it cannot have, and says so', async () => {
    await using source = await startServer();
    await using target = await startServer();
    const put = ['secret', 'put', 'hub', '--username', 'me', '--password-stdin', '--json', '--data', source.data];
    const secret = await run([pinnedNode, `${checkout}/bin/gantry.js`, ...put], {
      env: cleanEnvironment() as Record<string, string>,
      input: 'word',
    });
    await ecrClient(source.url).createPullThroughCacheRule({
      ecrRepositoryPrefix: 'hub',
      upstreamRegistryUrl: 'registry-1.docker.io',
      credentialArn: JSON.parse(secret).arn,
    });
    const words = ['import', '--from', `ecr:us-east-1,endpoint=${source.url}`, '--allow-private', '--with-settings'];
    const ran = await migration(target.data, key)(...words);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /^Note: pull through cache rule hub: left out, for it needs its credentials first: /m);
    assert.equal((await ecrClient(target.url).describePullThroughCacheRules({})).pullThroughCacheRules?.length, 0);
  });

  it('makes the repositories that images need, without settings too', async () => {
    await using source = await startServer();
    await using target = await startServer({ args: ['--no-create-on-push'] });
    await pushImage(source.url, 'one', 'v1', randomImage());
    const to = `ecr:us-east-1,endpoint=${target.url}`;
    const ran = await migration(source.data, key)('export', '--to', to, '--allow-private');
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    const { imageIds } = await ecrClient(target.url).listImages({ repositoryName: 'one' });
    assert.equal(imageIds?.[0]?.imageTag, 'v1');
  });

  it('says what a source refuses', async () => {
    await using target = await startServer();
    await using enforced = await startServer({ args: ['--auth', 'enforced'] });
    const words = ['import', '--from', `ecr:us-east-1,endpoint=${enforced.url}`, '--allow-private'];
    const { code, stderr } = await migration(target.data, key)(...words);
    assert.equal(code, 1);
    assert.match(stderr, /^gantry: 127\.0\.0\.1:\d+: GetAuthorizationToken: UnrecognizedClientException: /);
  });
});
