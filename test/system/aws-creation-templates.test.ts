import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ECR } from '@aws-sdk/client-ecr';
import { policyOf } from '../support/access.ts';
import { pushImage, randomImage } from '../support/images.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ecrClient, refused } from './aws-client.ts';

describe('repository creation templates of the ECR API', () => {
  let server: RunningServer;
  let ecr: ECR;
  before(async () => {
    server = await startServer({ env: { GANTRY_CREATE_ON_PUSH: 'false' } });
    ecr = ecrClient(server.url);
  });
  after(() => server[Symbol.asyncDispose]());

  const repositoryPolicy = policyOf({ Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' });
  const lifecyclePolicy = JSON.stringify({
    rules: [
      {
        rulePriority: 1,
        selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 3 },
        action: { type: 'expire' },
      },
    ],
  });

  it('say what they were told, without the slash that is always assumed', async () => {
    const settings = {
      description: 'of the team',
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
      resourceTags: [{ Key: 'team', Value: 'blue' }],
      repositoryPolicy,
      lifecyclePolicy,
      appliedFor: ['CREATE_ON_PUSH', 'REPLICATION'],
      customRoleArn: 'arn:aws:iam::000000000000:role/maker',
    } as const;
    const { registryId, repositoryCreationTemplate: made } = await ecr.createRepositoryCreationTemplate({
      prefix: 'team/',
      ...settings,
      imageTagMutabilityExclusionFilters: [...settings.imageTagMutabilityExclusionFilters],
      resourceTags: [...settings.resourceTags],
      appliedFor: [...settings.appliedFor],
    });
    assert.equal(registryId, '000000000000');
    const { createdAt, updatedAt, ...said } = made!;
    assert.deepEqual(said, { prefix: 'team', encryptionConfiguration: { encryptionType: 'AES256' }, ...settings });
    assert.deepEqual(createdAt, updatedAt);
    const described = await ecr.describeRepositoryCreationTemplates({ prefixes: ['team', 'none'] });
    assert.deepEqual(described.repositoryCreationTemplates, [made]);
  });

  it('give a docker push its repository, with everything they say', async () => {
    await pushImage(server.url, 'team/app', 'v1', randomImage());
    const { repositories } = await ecr.describeRepositories({ repositoryNames: ['team/app'] });
    const [repository] = repositories!;
    assert.equal(repository?.imageTagMutability, 'IMMUTABLE_WITH_EXCLUSION');
    assert.deepEqual(repository?.imageTagMutabilityExclusionFilters, [{ filterType: 'WILDCARD', filter: 'dev-*' }]);
    const { tags } = await ecr.listTagsForResource({ resourceArn: repository?.repositoryArn });
    assert.deepEqual(tags, [{ Key: 'team', Value: 'blue' }]);
    assert.equal((await ecr.getRepositoryPolicy({ repositoryName: 'team/app' })).policyText, repositoryPolicy);
    const policy = await ecr.getLifecyclePolicy({ repositoryName: 'team/app' });
    assert.deepEqual(JSON.parse(policy.lifecyclePolicyText!), JSON.parse(lifecyclePolicy));
  });

  it('leave a push to another prefix without a repository', async () => {
    const response = await fetch(`${server.url}/v2/other/app/blobs/uploads/`, { method: 'POST' });
    assert.equal(response.status, 404);
    assert.match(await response.text(), /NAME_UNKNOWN/);
  });

  it('are changed, listed in pages, and deleted', async () => {
    const { repositoryCreationTemplate: before } = await ecr.createRepositoryCreationTemplate({
      prefix: 'ROOT',
      appliedFor: ['PULL_THROUGH_CACHE'],
    });
    const { repositoryCreationTemplate: changed } = await ecr.updateRepositoryCreationTemplate({
      prefix: 'ROOT',
      description: 'all others',
    });
    assert.deepEqual({ ...changed, updatedAt: 0 }, { ...before, description: 'all others', updatedAt: 0 });
    const first = await ecr.describeRepositoryCreationTemplates({ maxResults: 1 });
    assert.deepEqual(
      first.repositoryCreationTemplates?.map(({ prefix }) => prefix),
      ['ROOT'],
    );
    const { nextToken } = first;
    const second = await ecr.describeRepositoryCreationTemplates({ maxResults: 1, nextToken });
    assert.deepEqual(
      second.repositoryCreationTemplates?.map(({ prefix }) => prefix),
      ['team'],
    );
    assert.equal(second.nextToken, undefined);
    const deleted = await ecr.deleteRepositoryCreationTemplate({ prefix: 'ROOT' });
    assert.deepEqual(deleted.repositoryCreationTemplate, changed);
    await refused(
      ecr.deleteRepositoryCreationTemplate({ prefix: 'ROOT' }),
      'TemplateNotFoundException',
      "The repository creation template with prefix 'ROOT' does not exist in the registry with id '000000000000'",
    );
    await refused(ecr.updateRepositoryCreationTemplate({ prefix: 'ROOT' }), 'TemplateNotFoundException');
  });

  it('are refused when they are there, or could never be applied', async () => {
    const create = (changes: object) =>
      ecr.createRepositoryCreationTemplate({ prefix: 'bad', appliedFor: ['REPLICATION'], ...changes });
    await refused(
      create({ prefix: 'team/' }),
      'TemplateAlreadyExistsException',
      "The repository creation template with prefix 'team' already exists in the registry with id '000000000000'",
    );
    const invalid = 'InvalidParameterException';
    await refused(create({ appliedFor: [] }), invalid);
    await refused(create({ appliedFor: ['WHIM'] }), invalid);
    await refused(create({ prefix: 'Bad' }), invalid);
    await refused(create({ repositoryPolicy: '{}' }), invalid);
    await refused(create({ lifecyclePolicy: '{"rules": 1}' }), invalid);
    await refused(create({ imageTagMutability: 'MUTABLE_WITH_EXCLUSION' }), invalid);
    await refused(create({ resourceTags: [{ Key: 'aws:x', Value: '' }] }), 'InvalidTagParameterException');
    assert.deepEqual(
      (await ecr.describeRepositoryCreationTemplates({ prefixes: ['bad'] })).repositoryCreationTemplates,
      [],
    );
  });
});
