import { DIGEST_PATTERN } from '../../core/values/digest.ts';
import {
  REPOSITORY_NAME_LENGTH_MAX,
  REPOSITORY_NAME_LENGTH_MIN,
  REPOSITORY_NAME_PATTERN,
} from '../../core/values/repository-name.ts';

/** What a value must be like beyond its type. Bounds are checked before the pattern, so no pattern meets a long text. */
export interface Rule {
  /** Characters of a string, elements of a list. */
  readonly lengthMin?: number;
  readonly lengthMax?: number;
  readonly valueMin?: number;
  readonly valueMax?: number;
  /** As AWS publishes it and refusals quote it; the whole text has to match. */
  readonly pattern?: string;
  /** An equivalent of `pattern` that cannot backtrack badly, where the published one can. */
  readonly linearPattern?: string;
  readonly oneOf?: readonly string[];
  /** For the elements of a list. */
  readonly element?: Rule;
  /** ECR's words for a broken repositoryName lack the `Member` that all others begin with. */
  readonly terse?: boolean;
}

const UUID = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}';
const PREFIX = `^(${REPOSITORY_NAME_PATTERN}\\/?|ROOT)$`;

const registryId: Rule = { pattern: '[0-9]{12}' };
const repositoryName: Rule = {
  lengthMin: REPOSITORY_NAME_LENGTH_MIN,
  lengthMax: REPOSITORY_NAME_LENGTH_MAX,
  pattern: REPOSITORY_NAME_PATTERN,
  terse: true,
};
const layerDigest: Rule = { pattern: DIGEST_PATTERN };
const imageTag: Rule = { lengthMin: 1, lengthMax: 300 };
const maxResults: Rule = { valueMin: 1, valueMax: 1000 };
const fiftyMaxResults: Rule = { valueMin: 1, valueMax: 50 };
const customRoleArn: Rule = { lengthMax: 2048 };
const templatePrefix: Rule = { lengthMin: 1, lengthMax: 256, pattern: PREFIX };
const cachePrefix: Rule = { lengthMin: 2, lengthMax: 30, pattern: PREFIX };
const imageStatusFilter: Rule = { oneOf: ['ACTIVE', 'ARCHIVED', 'ACTIVATING', 'ANY'] };
const principalArn: Rule = {
  lengthMax: 200,
  pattern: '^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)/[\\w+=,.@-]+(/[\\w+=,.@-]+)*$',
};
const templateSettings: Readonly<Record<string, Rule>> = {
  prefix: templatePrefix,
  description: { lengthMax: 256 },
  repositoryPolicy: { lengthMax: 10_240 },
  lifecyclePolicy: { lengthMax: 30_720 },
};

/** Members that mean the same wherever they occur. */
export const RULES_BY_MEMBER: Readonly<Record<string, Rule>> = {
  registryId,
  repositoryName,
  uploadId: { pattern: UUID },
  maxResults,
  imageTag,
  customRoleArn,
  layerDigest,
  imageIds: { lengthMin: 1, lengthMax: 100 },
  imageTagMutability: { oneOf: ['IMMUTABLE', 'MUTABLE', 'MUTABLE_WITH_EXCLUSION', 'IMMUTABLE_WITH_EXCLUSION'] },
  imageTagMutabilityExclusionFilters: { lengthMin: 1, lengthMax: 5 },
  encryptionType: { oneOf: ['AES256', 'KMS', 'KMS_DSSE'] },
  tagStatus: { oneOf: ['TAGGED', 'UNTAGGED', 'ANY'] },
  imageStatus: imageStatusFilter,
  artifactStatus: imageStatusFilter,
  scanType: { oneOf: ['BASIC', 'ENHANCED'] },
  replicationBackfillId: { pattern: UUID },
  ecrRepositoryPrefix: cachePrefix,
  upstreamRepositoryPrefix: cachePrefix,
  credentialArn: {
    lengthMin: 50,
    lengthMax: 612,
    pattern: '^arn:aws(-\\w+)*:secretsmanager:[a-zA-Z0-9-:]+:secret:ecr\\-pullthroughcache\\/[a-zA-Z0-9\\/_+=.@-]+$',
  },
  principalArn,
  signingProfileArn: {
    lengthMax: 200,
    pattern: '^arn:aws(-[a-z]+)*:signer:[a-z0-9-]+:[0-9]{12}:\\/signing-profiles\\/[a-zA-Z0-9_]{2,}$',
  },
};

/** Members of one structure, which win over those above. */
export const RULES_BY_SHAPE: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  GetAuthorizationTokenRequest: { registryIds: { lengthMin: 1, lengthMax: 10, element: registryId } },
  DescribeRepositoriesRequest: { repositoryNames: { lengthMin: 1, lengthMax: 100, element: repositoryName } },
  BatchGetRepositoryScanningConfigurationRequest: {
    repositoryNames: { lengthMin: 1, lengthMax: 25, element: repositoryName },
  },
  // No pattern here: malformed digests are the failures of a call that succeeds.
  BatchCheckLayerAvailabilityRequest: { layerDigests: { lengthMin: 1, lengthMax: 100, element: { lengthMax: 1000 } } },
  CompleteLayerUploadRequest: { layerDigests: { lengthMin: 1, lengthMax: 100, element: layerDigest } },
  UploadLayerPartRequest: { partFirstByte: { valueMin: 0 }, partLastByte: { valueMin: 0 } },
  PutImageRequest: {
    imageManifest: { lengthMin: 1, lengthMax: 4_194_304 },
    // The model asks for 1 to 300 characters; the service refuses what the OCI distribution specification does.
    imageTag: { ...imageTag, pattern: '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}' },
  },
  BatchGetImageRequest: { acceptedMediaTypes: { lengthMin: 1, lengthMax: 100 } },
  ListImageReferrersRequest: { maxResults: fiftyMaxResults },
  SubjectIdentifier: { imageDigest: layerDigest },
  ListImageReferrersFilter: { artifactTypes: { lengthMax: 5, element: { lengthMin: 1, lengthMax: 255 } } },
  EncryptionConfiguration: { kmsKey: { lengthMin: 1, lengthMax: 2048 } },
  ImageTagMutabilityExclusionFilter: {
    filterType: { oneOf: ['WILDCARD'] },
    filter: { lengthMin: 1, lengthMax: 128, pattern: '^[0-9a-zA-Z._*-]{1,128}$' },
  },
  SetRepositoryPolicyRequest: { policyText: { lengthMax: 10_240 } },
  PutRegistryPolicyRequest: { policyText: { lengthMax: 10_240 } },
  PutLifecyclePolicyRequest: { lifecyclePolicyText: { lengthMin: 100, lengthMax: 30_720 } },
  StartLifecyclePolicyPreviewRequest: { lifecyclePolicyText: { lengthMin: 100, lengthMax: 30_720 } },
  GetLifecyclePolicyPreviewRequest: { maxResults: { valueMin: 1, valueMax: 100 } },
  PutRegistryScanningConfigurationRequest: { rules: { lengthMax: 2 } },
  RegistryScanningRule: {
    scanFrequency: { oneOf: ['SCAN_ON_PUSH', 'CONTINUOUS_SCAN', 'MANUAL'] },
    repositoryFilters: { lengthMax: 100 },
  },
  ScanningRepositoryFilter: {
    filter: {
      lengthMin: 1,
      lengthMax: 255,
      pattern: '^[a-z0-9*](?:[._\\-/a-z0-9*]?[a-z0-9*]+)*$',
      linearPattern: '^[a-z0-9*]+(?:[._\\-/][a-z0-9*]+)*$',
    },
    filterType: { oneOf: ['WILDCARD'] },
  },
  UpdateImageStorageClassRequest: { targetStorageClass: { oneOf: ['STANDARD', 'ARCHIVE'] } },
  ReplicationConfiguration: { rules: { lengthMax: 25 } },
  ReplicationRule: { destinations: { lengthMax: 100 }, repositoryFilters: { lengthMin: 1, lengthMax: 100 } },
  ReplicationDestination: { region: { lengthMin: 2, lengthMax: 25, pattern: '[0-9a-z-]{2,25}' } },
  RepositoryFilter: {
    filter: {
      lengthMin: 2,
      lengthMax: 256,
      pattern: '^(?:[a-z0-9]+(?:[._-][a-z0-9]*)*/)*[a-z0-9]*(?:[._-][a-z0-9]*)*$',
    },
    filterType: { oneOf: ['PREFIX_MATCH'] },
  },
  ListReplicationBackfillsRequest: { maxResults: fiftyMaxResults },
  DescribeReplicationBackfillResultsRequest: { resultStatusFilter: { oneOf: ['COMPLETE', 'FAILED'] } },
  CreatePullThroughCacheRuleRequest: {
    upstreamRegistry: {
      oneOf: [
        'ecr',
        'ecr-public',
        'quay',
        'k8s',
        'docker-hub',
        'github-container-registry',
        'azure-container-registry',
        'gitlab-container-registry',
        'chainguard',
      ],
    },
  },
  DescribePullThroughCacheRulesRequest: {
    ecrRepositoryPrefixes: { lengthMin: 1, lengthMax: 100, element: cachePrefix },
  },
  CreateRepositoryCreationTemplateRequest: {
    ...templateSettings,
    appliedFor: { element: { oneOf: ['REPLICATION', 'PULL_THROUGH_CACHE', 'CREATE_ON_PUSH'] } },
  },
  UpdateRepositoryCreationTemplateRequest: {
    ...templateSettings,
    appliedFor: { element: { oneOf: ['REPLICATION', 'PULL_THROUGH_CACHE', 'CREATE_ON_PUSH'] } },
  },
  DeleteRepositoryCreationTemplateRequest: { prefix: templatePrefix },
  DescribeRepositoryCreationTemplatesRequest: { prefixes: { element: templatePrefix } },
  EncryptionConfigurationForRepositoryCreationTemplate: {
    kmsKey: { lengthMax: 2048, pattern: '^$|arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key\\/[a-z0-9-]+' },
  },
  GetAccountSettingRequest: { name: { lengthMin: 1, lengthMax: 64 } },
  PutAccountSettingRequest: { name: { lengthMin: 1, lengthMax: 64 } },
  SigningConfiguration: { rules: { lengthMax: 10 } },
  SigningRule: { repositoryFilters: { lengthMin: 1, lengthMax: 100 } },
  SigningRepositoryFilter: {
    filter: {
      lengthMin: 1,
      lengthMax: 256,
      pattern: '^(?:[a-z0-9*]+(?:[._-][a-z0-9*]+)*/)*[a-z0-9*]+(?:[._-][a-z0-9*]+)*$',
    },
    filterType: { oneOf: ['WILDCARD_MATCH'] },
  },
};
