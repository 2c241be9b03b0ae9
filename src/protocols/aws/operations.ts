import type { Action } from '../../core/access/authorizer.ts';
import type { Call } from '../../core/access/caller.ts';
import type { RequestFacts } from '../../core/access/request-facts.ts';
import { repositoryArn } from '../../core/values/registry.ts';
import { deleteRegistryPolicy } from './access/DeleteRegistryPolicy.ts';
import { deleteRepositoryPolicy } from './access/DeleteRepositoryPolicy.ts';
import { getAuthorizationToken } from './access/GetAuthorizationToken.ts';
import { getRegistryPolicy } from './access/GetRegistryPolicy.ts';
import { getRepositoryPolicy } from './access/GetRepositoryPolicy.ts';
import { putRegistryPolicy } from './access/PutRegistryPolicy.ts';
import { setRepositoryPolicy } from './access/SetRepositoryPolicy.ts';
import { createPullThroughCacheRule } from './caching/CreatePullThroughCacheRule.ts';
import { deletePullThroughCacheRule } from './caching/DeletePullThroughCacheRule.ts';
import { describePullThroughCacheRules } from './caching/DescribePullThroughCacheRules.ts';
import { updatePullThroughCacheRule } from './caching/UpdatePullThroughCacheRule.ts';
import { validatePullThroughCacheRule } from './caching/ValidatePullThroughCacheRule.ts';
import { AwsError } from './errors.ts';
import { batchDeleteImage } from './images/BatchDeleteImage.ts';
import { batchGetImage } from './images/BatchGetImage.ts';
import { describeImages } from './images/DescribeImages.ts';
import { listImageReferrers } from './images/ListImageReferrers.ts';
import { listImages } from './images/ListImages.ts';
import { putImage } from './images/PutImage.ts';
import { updateImageStorageClass } from './images/UpdateImageStorageClass.ts';
import { batchCheckLayerAvailability } from './layers/BatchCheckLayerAvailability.ts';
import { completeLayerUpload } from './layers/CompleteLayerUpload.ts';
import { getDownloadUrlForLayer } from './layers/GetDownloadUrlForLayer.ts';
import { initiateLayerUpload } from './layers/InitiateLayerUpload.ts';
import { uploadLayerPart } from './layers/UploadLayerPart.ts';
import { deleteLifecyclePolicy } from './lifecycle/DeleteLifecyclePolicy.ts';
import { getLifecyclePolicy } from './lifecycle/GetLifecyclePolicy.ts';
import { getLifecyclePolicyPreview } from './lifecycle/GetLifecyclePolicyPreview.ts';
import { putLifecyclePolicy } from './lifecycle/PutLifecyclePolicy.ts';
import { startLifecyclePolicyPreview } from './lifecycle/StartLifecyclePolicyPreview.ts';
import type { Operation, OperationName, OperationRequest } from './operation.ts';
import { deregisterPullTimeUpdateExclusion } from './pull-times/DeregisterPullTimeUpdateExclusion.ts';
import { listPullTimeUpdateExclusions } from './pull-times/ListPullTimeUpdateExclusions.ts';
import { registerPullTimeUpdateExclusion } from './pull-times/RegisterPullTimeUpdateExclusion.ts';
import { describeImageReplicationStatus } from './replication/DescribeImageReplicationStatus.ts';
import { describeRegistry } from './replication/DescribeRegistry.ts';
import { describeReplicationBackfillResults } from './replication/DescribeReplicationBackfillResults.ts';
import { listReplicationBackfills } from './replication/ListReplicationBackfills.ts';
import { putReplicationConfiguration } from './replication/PutReplicationConfiguration.ts';
import { startReplicationBackfill } from './replication/StartReplicationBackfill.ts';
import { stopReplicationBackfill } from './replication/StopReplicationBackfill.ts';
import { createRepository } from './repositories/CreateRepository.ts';
import { deleteRepository } from './repositories/DeleteRepository.ts';
import { describeRepositories } from './repositories/DescribeRepositories.ts';
import { listTagsForResource } from './repositories/ListTagsForResource.ts';
import { putImageTagMutability } from './repositories/PutImageTagMutability.ts';
import { repositoryOfArn } from './repositories/resource-arn.ts';
import { resourceTagsOf, type WireTag } from './repositories/resource-tags.ts';
import { tagResource } from './repositories/TagResource.ts';
import { untagResource } from './repositories/UntagResource.ts';
import { batchGetRepositoryScanningConfiguration } from './scanning/BatchGetRepositoryScanningConfiguration.ts';
import { describeImageScanFindings } from './scanning/DescribeImageScanFindings.ts';
import { getRegistryScanningConfiguration } from './scanning/GetRegistryScanningConfiguration.ts';
import { putImageScanningConfiguration } from './scanning/PutImageScanningConfiguration.ts';
import { putRegistryScanningConfiguration } from './scanning/PutRegistryScanningConfiguration.ts';
import { startImageScan } from './scanning/StartImageScan.ts';
import { getAccountSetting } from './settings/GetAccountSetting.ts';
import { putAccountSetting } from './settings/PutAccountSetting.ts';
import { deleteSigningConfiguration } from './signing/DeleteSigningConfiguration.ts';
import { describeImageSigningStatus } from './signing/DescribeImageSigningStatus.ts';
import { getSigningConfiguration } from './signing/GetSigningConfiguration.ts';
import { putSigningConfiguration } from './signing/PutSigningConfiguration.ts';
import { createRepositoryCreationTemplate } from './templates/CreateRepositoryCreationTemplate.ts';
import { deleteRepositoryCreationTemplate } from './templates/DeleteRepositoryCreationTemplate.ts';
import { describeRepositoryCreationTemplates } from './templates/DescribeRepositoryCreationTemplates.ts';
import { updateRepositoryCreationTemplate } from './templates/UpdateRepositoryCreationTemplate.ts';

/** The ECR API at a glance: every operation, what a caller must be allowed to do to what, and who answers. */
export const OPERATIONS = {
  GetAuthorizationToken: { action: 'ecr:GetAuthorizationToken', resources: anything, run: getAuthorizationToken },

  CreateRepository: {
    action: 'ecr:CreateRepository',
    resources: theRepository,
    alsoNeeds: tagging,
    facts: tagFacts,
    run: createRepository,
  },
  DescribeRepositories: { action: 'ecr:DescribeRepositories', resources: namedRepositories, run: describeRepositories },
  DeleteRepository: { action: 'ecr:DeleteRepository', resources: theRepository, run: deleteRepository },
  PutImageTagMutability: {
    action: 'ecr:PutImageTagMutability',
    resources: theRepository,
    run: putImageTagMutability,
  },
  TagResource: { action: 'ecr:TagResource', resources: taggedResource, facts: tagFacts, run: tagResource },
  UntagResource: {
    action: 'ecr:UntagResource',
    resources: taggedResource,
    facts: ({ tagKeys }) => ({ tagKeys }),
    run: untagResource,
  },
  ListTagsForResource: { action: 'ecr:ListTagsForResource', resources: taggedResource, run: listTagsForResource },
  SetRepositoryPolicy: { action: 'ecr:SetRepositoryPolicy', resources: theRepository, run: setRepositoryPolicy },
  GetRepositoryPolicy: { action: 'ecr:GetRepositoryPolicy', resources: theRepository, run: getRepositoryPolicy },
  DeleteRepositoryPolicy: {
    action: 'ecr:DeleteRepositoryPolicy',
    resources: theRepository,
    run: deleteRepositoryPolicy,
  },

  BatchCheckLayerAvailability: {
    action: 'ecr:BatchCheckLayerAvailability',
    resources: theRepository,
    run: batchCheckLayerAvailability,
  },
  InitiateLayerUpload: { action: 'ecr:InitiateLayerUpload', resources: theRepository, run: initiateLayerUpload },
  UploadLayerPart: { action: 'ecr:UploadLayerPart', resources: theRepository, run: uploadLayerPart },
  CompleteLayerUpload: { action: 'ecr:CompleteLayerUpload', resources: theRepository, run: completeLayerUpload },
  GetDownloadUrlForLayer: {
    action: 'ecr:GetDownloadUrlForLayer',
    resources: theRepository,
    run: getDownloadUrlForLayer,
  },

  PutImage: { action: 'ecr:PutImage', resources: theRepository, run: putImage },
  BatchGetImage: { action: 'ecr:BatchGetImage', resources: theRepository, run: batchGetImage },
  BatchDeleteImage: { action: 'ecr:BatchDeleteImage', resources: theRepository, run: batchDeleteImage },
  ListImages: { action: 'ecr:ListImages', resources: theRepository, run: listImages },
  DescribeImages: { action: 'ecr:DescribeImages', resources: theRepository, run: describeImages },
  // "Needs ecr:BatchGetImage" (ECR API reference, ListImageReferrers).
  ListImageReferrers: { action: 'ecr:BatchGetImage', resources: theRepository, run: listImageReferrers },
  UpdateImageStorageClass: {
    action: 'ecr:UpdateImageStorageClass',
    resources: theRepository,
    run: updateImageStorageClass,
  },

  PutLifecyclePolicy: { action: 'ecr:PutLifecyclePolicy', resources: theRepository, run: putLifecyclePolicy },
  GetLifecyclePolicy: { action: 'ecr:GetLifecyclePolicy', resources: theRepository, run: getLifecyclePolicy },
  DeleteLifecyclePolicy: { action: 'ecr:DeleteLifecyclePolicy', resources: theRepository, run: deleteLifecyclePolicy },
  StartLifecyclePolicyPreview: {
    action: 'ecr:StartLifecyclePolicyPreview',
    resources: theRepository,
    run: startLifecyclePolicyPreview,
  },
  GetLifecyclePolicyPreview: {
    action: 'ecr:GetLifecyclePolicyPreview',
    resources: theRepository,
    run: getLifecyclePolicyPreview,
  },

  StartImageScan: { action: 'ecr:StartImageScan', resources: theRepository, run: startImageScan },
  DescribeImageScanFindings: {
    action: 'ecr:DescribeImageScanFindings',
    resources: theRepository,
    run: describeImageScanFindings,
  },
  PutImageScanningConfiguration: {
    action: 'ecr:PutImageScanningConfiguration',
    resources: theRepository,
    run: putImageScanningConfiguration,
  },
  BatchGetRepositoryScanningConfiguration: {
    action: 'ecr:BatchGetRepositoryScanningConfiguration',
    resources: namedRepositories,
    run: batchGetRepositoryScanningConfiguration,
  },
  GetRegistryScanningConfiguration: {
    action: 'ecr:GetRegistryScanningConfiguration',
    resources: anything,
    run: getRegistryScanningConfiguration,
  },
  PutRegistryScanningConfiguration: {
    action: 'ecr:PutRegistryScanningConfiguration',
    resources: anything,
    run: putRegistryScanningConfiguration,
  },

  PutRegistryPolicy: { action: 'ecr:PutRegistryPolicy', resources: anything, run: putRegistryPolicy },
  GetRegistryPolicy: { action: 'ecr:GetRegistryPolicy', resources: anything, run: getRegistryPolicy },
  DeleteRegistryPolicy: { action: 'ecr:DeleteRegistryPolicy', resources: anything, run: deleteRegistryPolicy },
  DescribeRegistry: { action: 'ecr:DescribeRegistry', resources: anything, run: describeRegistry },
  GetAccountSetting: { action: 'ecr:GetAccountSetting', resources: anything, run: getAccountSetting },
  PutAccountSetting: {
    action: 'ecr:PutAccountSetting',
    resources: anything,
    facts: ({ name }) => ({ accountSetting: name }),
    run: putAccountSetting,
  },

  PutReplicationConfiguration: {
    action: 'ecr:PutReplicationConfiguration',
    resources: anything,
    run: putReplicationConfiguration,
  },
  DescribeImageReplicationStatus: {
    action: 'ecr:DescribeImageReplicationStatus',
    resources: theRepository,
    run: describeImageReplicationStatus,
  },
  StartReplicationBackfill: {
    action: 'ecr:StartReplicationBackfill',
    resources: anything,
    run: startReplicationBackfill,
  },
  StopReplicationBackfill: { action: 'ecr:StopReplicationBackfill', resources: anything, run: stopReplicationBackfill },
  ListReplicationBackfills: {
    action: 'ecr:ListReplicationBackfills',
    resources: anything,
    run: listReplicationBackfills,
  },
  DescribeReplicationBackfillResults: {
    action: 'ecr:DescribeReplicationBackfillResults',
    resources: anything,
    run: describeReplicationBackfillResults,
  },

  CreatePullThroughCacheRule: {
    action: 'ecr:CreatePullThroughCacheRule',
    resources: anything,
    run: createPullThroughCacheRule,
  },
  DescribePullThroughCacheRules: {
    action: 'ecr:DescribePullThroughCacheRules',
    resources: anything,
    run: describePullThroughCacheRules,
  },
  UpdatePullThroughCacheRule: {
    action: 'ecr:UpdatePullThroughCacheRule',
    resources: anything,
    run: updatePullThroughCacheRule,
  },
  DeletePullThroughCacheRule: {
    action: 'ecr:DeletePullThroughCacheRule',
    resources: anything,
    run: deletePullThroughCacheRule,
  },
  ValidatePullThroughCacheRule: {
    action: 'ecr:ValidatePullThroughCacheRule',
    resources: anything,
    run: validatePullThroughCacheRule,
  },
  RegisterPullTimeUpdateExclusion: {
    action: 'ecr:RegisterPullTimeUpdateExclusion',
    resources: anything,
    run: registerPullTimeUpdateExclusion,
  },
  DeregisterPullTimeUpdateExclusion: {
    action: 'ecr:DeregisterPullTimeUpdateExclusion',
    resources: anything,
    run: deregisterPullTimeUpdateExclusion,
  },
  ListPullTimeUpdateExclusions: {
    action: 'ecr:ListPullTimeUpdateExclusions',
    resources: anything,
    run: listPullTimeUpdateExclusions,
  },

  CreateRepositoryCreationTemplate: {
    action: 'ecr:CreateRepositoryCreationTemplate',
    resources: anything,
    run: createRepositoryCreationTemplate,
  },
  DescribeRepositoryCreationTemplates: {
    action: 'ecr:DescribeRepositoryCreationTemplates',
    resources: anything,
    run: describeRepositoryCreationTemplates,
  },
  UpdateRepositoryCreationTemplate: {
    action: 'ecr:UpdateRepositoryCreationTemplate',
    resources: anything,
    run: updateRepositoryCreationTemplate,
  },
  DeleteRepositoryCreationTemplate: {
    action: 'ecr:DeleteRepositoryCreationTemplate',
    resources: anything,
    run: deleteRepositoryCreationTemplate,
  },

  PutSigningConfiguration: {
    action: 'ecr:PutSigningConfiguration',
    resources: anything,
    run: putSigningConfiguration,
  },
  GetSigningConfiguration: {
    action: 'ecr:GetSigningConfiguration',
    resources: anything,
    run: getSigningConfiguration,
  },
  // The only operation that does not declare InvalidParameterException.
  DeleteSigningConfiguration: {
    action: 'ecr:DeleteSigningConfiguration',
    resources: anything,
    violation: 'ValidationException',
    run: deleteSigningConfiguration,
  },
  DescribeImageSigningStatus: {
    action: 'ecr:DescribeImageSigningStatus',
    resources: theRepository,
    run: describeImageSigningStatus,
  },
} as const satisfies { readonly [N in OperationName]: Operation<N> };

export function isOperationName(text: string): text is OperationName {
  return Object.hasOwn(OPERATIONS, text);
}

/** An operation whose input and output types the table has checked, so that whoever dispatches need not tell them apart. */
export interface ImplementedOperation {
  readonly action: `ecr:${string}`;
  readonly violation?: string;
  readonly resources: (call: Call, input: unknown) => readonly string[];
  readonly alsoNeeds?: (input: unknown) => readonly Action[];
  readonly facts?: (input: unknown) => RequestFacts;
  readonly run: (request: Omit<OperationRequest<OperationName>, 'input'> & { input: unknown }) => Promise<object>;
}

/** Throws UnsupportedOperationException, which SDKs do not retry, for an operation that is not there yet. */
export function implementedOperation(name: OperationName): ImplementedOperation {
  const operation = OPERATIONS[name];
  if ('run' in operation) return operation as unknown as ImplementedOperation;
  throw new AwsError(
    'UnsupportedOperationException',
    `${name} is an operation of the ECR API that this server does not have yet; docs/api-coverage.md lists those it has`,
  );
}

function anything(): readonly string[] {
  return ['*'];
}

function theRepository(call: Call, input: { readonly repositoryName: string }): readonly string[] {
  return [repositoryArn(call.registry, input.repositoryName)];
}

/** ECR denies a list of all by the name `repository/*`. */
function namedRepositories(call: Call, input: { readonly repositoryNames?: readonly string[] }): readonly string[] {
  const names = input.repositoryNames ?? ['*'];
  return names.map((name) => repositoryArn(call.registry, name));
}

function taggedResource(_call: Call, { resourceArn }: { readonly resourceArn: string }): readonly string[] {
  const { registry, repositoryName } = repositoryOfArn(resourceArn);
  return [repositoryArn(registry, repositoryName)];
}

/** "Tag a resource on creation" takes the permission to tag as well (ECR user guide, "Tagging a private repository"). */
function tagging({ tags = [] }: { readonly tags?: readonly WireTag[] }): readonly Action[] {
  return tags.length === 0 ? [] : ['ecr:TagResource'];
}

function tagFacts({ tags }: { readonly tags?: readonly WireTag[] }): RequestFacts {
  return tags === undefined ? {} : { requestTags: resourceTagsOf(tags) };
}
