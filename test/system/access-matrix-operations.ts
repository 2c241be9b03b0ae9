import { ACCOUNT, policyOf } from '../support/access.ts';
import { policyText, untaggedAfter } from './lifecycle-policies.ts';

/** What an operation is tried on. */
export interface Tried {
  readonly repositoryName: string;
  /** The policy that the repository has. */
  readonly policyText: string;
  readonly digest: string;
}

export interface OperationRow {
  /** What the permission is asked for on: policies of repositories count for those alone. */
  readonly on: 'repository' | 'registry';
  /** Always done to the caller's own registry, since the input has no place for another one's id. */
  readonly staysAtHome?: boolean;
  /** Valid as far as that can be said without looking: permissions are decided after. */
  input(tried: Tried): object;
}

const harmlessPolicy = policyOf({
  Effect: 'Allow',
  Principal: { AWS: '999988887777' },
  Action: 'ecr:ReplicateImage',
  Resource: `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/*`,
});

const lifecyclePolicyText = policyText(untaggedAfter(1, 14));

const nameAlone: OperationRow = { on: 'repository', input: ({ repositoryName }) => ({ repositoryName }) };
const nothing: OperationRow = { on: 'registry', staysAtHome: true, input: () => ({}) };

const scanner: OperationRow = {
  on: 'registry',
  staysAtHome: true,
  input: () => ({ principalArn: `arn:aws:iam::${ACCOUNT}:role/scanner` }),
};

const elsewhere = { region: 'eu-west-1', registryId: ACCOUNT };

const backfill: OperationRow = {
  on: 'registry',
  input: () => ({ replicationBackfillId: '00000000-0000-4000-8000-000000000000' }),
};

/**
 * Every operation that the server has, and what to send. The others are refused to strangers in the same way, and to everybody else as
 * operations that are not there: a new one wants a row.
 */
export const OPERATION_ROWS: Readonly<Record<string, OperationRow>> = {
  GetAuthorizationToken: nothing,

  CreateRepository: nameAlone,
  DescribeRepositories: { on: 'repository', input: ({ repositoryName }) => ({ repositoryNames: [repositoryName] }) },
  DeleteRepository: { on: 'repository', input: ({ repositoryName }) => ({ repositoryName, force: true }) },
  PutImageTagMutability: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, imageTagMutability: 'IMMUTABLE' }),
  },
  TagResource: {
    on: 'repository',
    input: ({ repositoryName }) => ({ resourceArn: arnOf(repositoryName), tags: [{ Key: 'a', Value: 'b' }] }),
  },
  UntagResource: {
    on: 'repository',
    input: ({ repositoryName }) => ({ resourceArn: arnOf(repositoryName), tagKeys: ['kept'] }),
  },
  ListTagsForResource: {
    on: 'repository',
    input: ({ repositoryName }) => ({ resourceArn: arnOf(repositoryName) }),
  },
  SetRepositoryPolicy: {
    on: 'repository',
    input: ({ repositoryName, policyText }) => ({ repositoryName, policyText, force: true }),
  },
  GetRepositoryPolicy: nameAlone,
  DeleteRepositoryPolicy: nameAlone,

  BatchCheckLayerAvailability: {
    on: 'repository',
    input: ({ repositoryName, digest }) => ({ repositoryName, layerDigests: [digest] }),
  },
  InitiateLayerUpload: nameAlone,
  UploadLayerPart: {
    on: 'repository',
    input: ({ repositoryName }) => ({
      repositoryName,
      uploadId: '00000000-0000-4000-8000-000000000000',
      partFirstByte: 0,
      partLastByte: 2,
      layerPartBlob: 'YWJj',
    }),
  },
  CompleteLayerUpload: {
    on: 'repository',
    input: ({ repositoryName, digest }) => ({
      repositoryName,
      uploadId: '00000000-0000-4000-8000-000000000000',
      layerDigests: [digest],
    }),
  },
  GetDownloadUrlForLayer: {
    on: 'repository',
    input: ({ repositoryName, digest }) => ({ repositoryName, layerDigest: digest }),
  },

  PutImage: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, imageManifest: '{}', imageTag: 'kept' }),
  },
  BatchGetImage: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, imageIds: [{ imageTag: 'kept' }] }),
  },
  BatchDeleteImage: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, imageIds: [{ imageTag: 'kept' }] }),
  },
  ListImages: nameAlone,
  DescribeImages: nameAlone,
  ListImageReferrers: {
    on: 'repository',
    input: ({ repositoryName, digest }) => ({ repositoryName, subjectId: { imageDigest: digest } }),
  },
  UpdateImageStorageClass: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, imageId: { imageTag: 'kept' }, targetStorageClass: 'ARCHIVE' }),
  },

  CreatePullThroughCacheRule: {
    on: 'registry',
    input: () => ({ ecrRepositoryPrefix: 'cached', upstreamRegistryUrl: 'quay.io' }),
  },
  DescribePullThroughCacheRules: { on: 'registry', input: () => ({}) },
  UpdatePullThroughCacheRule: { on: 'registry', input: () => ({ ecrRepositoryPrefix: 'absent' }) },
  DeletePullThroughCacheRule: { on: 'registry', input: () => ({ ecrRepositoryPrefix: 'absent' }) },
  ValidatePullThroughCacheRule: { on: 'registry', input: () => ({ ecrRepositoryPrefix: 'absent' }) },

  CreateRepositoryCreationTemplate: {
    on: 'registry',
    staysAtHome: true,
    input: () => ({ prefix: 'tried', appliedFor: ['REPLICATION'] }),
  },
  DescribeRepositoryCreationTemplates: nothing,
  UpdateRepositoryCreationTemplate: { on: 'registry', staysAtHome: true, input: () => ({ prefix: 'ROOT' }) },
  DeleteRepositoryCreationTemplate: { on: 'registry', staysAtHome: true, input: () => ({ prefix: 'none' }) },

  PutLifecyclePolicy: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, lifecyclePolicyText }),
  },
  GetLifecyclePolicy: nameAlone,
  DeleteLifecyclePolicy: nameAlone,
  StartLifecyclePolicyPreview: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, lifecyclePolicyText }),
  },
  GetLifecyclePolicyPreview: nameAlone,

  DescribeRegistry: nothing,
  PutReplicationConfiguration: {
    on: 'registry',
    staysAtHome: true,
    input: () => ({ replicationConfiguration: { rules: [{ destinations: [elsewhere] }] } }),
  },
  StartImageScan: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, imageId: { imageTag: 'kept' } }),
  },
  DescribeImageScanFindings: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, imageId: { imageTag: 'kept' } }),
  },
  PutImageScanningConfiguration: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, imageScanningConfiguration: { scanOnPush: true } }),
  },
  BatchGetRepositoryScanningConfiguration: {
    on: 'repository',
    staysAtHome: true,
    input: ({ repositoryName }) => ({ repositoryNames: [repositoryName] }),
  },
  GetRegistryScanningConfiguration: nothing,
  PutRegistryScanningConfiguration: {
    on: 'registry',
    staysAtHome: true,
    input: () => ({ scanType: 'BASIC', rules: [] }),
  },
  PutSigningConfiguration: {
    on: 'registry',
    staysAtHome: true,
    input: () => ({ signingConfiguration: { rules: [] } }),
  },
  GetSigningConfiguration: nothing,
  DeleteSigningConfiguration: nothing,
  DescribeImageSigningStatus: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, imageId: { imageTag: 'kept' } }),
  },
  DescribeImageReplicationStatus: {
    on: 'repository',
    input: ({ repositoryName }) => ({ repositoryName, imageId: { imageTag: 'kept' } }),
  },
  StartReplicationBackfill: {
    on: 'registry',
    // The configuration was put before it: operations are tried in the order of their names.
    input: () => ({ destination: elsewhere }),
  },
  StopReplicationBackfill: backfill,
  ListReplicationBackfills: { on: 'registry', input: () => ({}) },
  DescribeReplicationBackfillResults: backfill,

  PutRegistryPolicy: { on: 'registry', staysAtHome: true, input: () => ({ policyText: harmlessPolicy }) },
  GetRegistryPolicy: nothing,
  DeleteRegistryPolicy: nothing,
  GetAccountSetting: { on: 'registry', staysAtHome: true, input: () => ({ name: 'BLOB_MOUNTING' }) },
  PutAccountSetting: {
    on: 'registry',
    staysAtHome: true,
    input: () => ({ name: 'BLOB_MOUNTING', value: 'ENABLED' }),
  },
  RegisterPullTimeUpdateExclusion: scanner,
  DeregisterPullTimeUpdateExclusion: scanner,
  ListPullTimeUpdateExclusions: nothing,
};

export function arnOf(repositoryName: string): string {
  return `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/${repositoryName}`;
}
