import type { ImageTagMutabilityExclusionFilter } from '@aws-sdk/client-ecr';
import type { Scene } from './world.ts';

const exclusionFilters: ImageTagMutabilityExclusionFilter[] = [{ filterType: 'WILDCARD', filter: 'dev-*' }];
const immutable = {
  imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION' as const,
  imageTagMutabilityExclusionFilters: exclusionFilters,
};

export const repositories: Scene = async ({ ecr }) => {
  const repositoryName = 'members/repository';
  const tags = [{ Key: 'team', Value: 'a' }];
  const encryptionConfiguration = { encryptionType: 'KMS' as const };
  const { repository } = await ecr.createRepository({ repositoryName, tags, encryptionConfiguration, ...immutable });
  const resourceArn = repository?.repositoryArn;
  await ecr.tagResource({ resourceArn, tags: [{ Key: 'stage', Value: 'b' }] });
  await ecr.untagResource({ resourceArn, tagKeys: ['stage'] });
  await ecr.listTagsForResource({ resourceArn });
  await ecr.putImageTagMutability({ repositoryName, ...immutable });
  await ecr.createRepository({ repositoryName: 'members/another' });
  await ecr.describeRepositories({ repositoryNames: [repositoryName] });
  await ecr.describeRepositories({ maxResults: 1 });
  const allow = { Sid: 'pull', Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' };
  const policyText = JSON.stringify({ Version: '2012-10-17', Statement: [allow] });
  await ecr.setRepositoryPolicy({ repositoryName, policyText });
  await ecr.getRepositoryPolicy({ repositoryName });
  await ecr.deleteRepositoryPolicy({ repositoryName });
  await ecr.deleteRepository({ repositoryName });
};

export const creationTemplates: Scene = async ({ ecr }) => {
  const kms = { encryptionType: 'KMS' as const, kmsKey: 'arn:aws:kms:us-east-1:000000000000:key/1' };
  const statement = { Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' };
  const selection = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 9 };
  const template = {
    prefix: 'members/made',
    description: 'a template',
    encryptionConfiguration: kms,
    resourceTags: [{ Key: 'team', Value: 'a' }],
    repositoryPolicy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
    lifecyclePolicy: JSON.stringify({ rules: [{ rulePriority: 1, selection, action: { type: 'expire' } }] }),
    customRoleArn: 'arn:aws:iam::000000000000:role/templates',
    ...immutable,
  };
  await ecr.createRepositoryCreationTemplate({ ...template, appliedFor: ['REPLICATION'] });
  await ecr.createRepositoryCreationTemplate({ ...template, prefix: 'members/other', appliedFor: ['REPLICATION'] });
  await ecr.updateRepositoryCreationTemplate({ prefix: template.prefix, description: 'changed' });
  await ecr.describeRepositoryCreationTemplates({});
  await ecr.describeRepositoryCreationTemplates({ maxResults: 1 });
  await ecr.deleteRepositoryCreationTemplate({ prefix: template.prefix });
};

export const registry: Scene = async ({ ecr }) => {
  await ecr.getAuthorizationToken({});
  const principal = { AWS: 'arn:aws:iam::111122223333:root' };
  const resource = 'arn:aws:ecr:us-east-1:000000000000:repository/*';
  const statement = {
    Sid: 'copy',
    Effect: 'Allow',
    Principal: principal,
    Action: 'ecr:ReplicateImage',
    Resource: resource,
  };
  await ecr.putRegistryPolicy({ policyText: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) });
  await ecr.getRegistryPolicy({});
  await ecr.deleteRegistryPolicy({});
  await ecr.putAccountSetting({ name: 'BLOB_MOUNTING', value: 'ENABLED' });
  await ecr.getAccountSetting({ name: 'BLOB_MOUNTING' });
  const roles = ['one', 'other'].map((name) => `arn:aws:iam::000000000000:role/${name}`);
  for (const principalArn of roles) await ecr.registerPullTimeUpdateExclusion({ principalArn });
  await ecr.listPullTimeUpdateExclusions({ maxResults: 1 });
  for (const principalArn of roles) await ecr.deregisterPullTimeUpdateExclusion({ principalArn });
};
