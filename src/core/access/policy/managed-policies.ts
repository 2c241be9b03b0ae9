import { type NamedPolicy, parsePolicy } from './document.ts';

const TOKEN = ['ecr:GetAuthorizationToken'];
const READ = [
  'ecr:BatchCheckLayerAvailability',
  'ecr:GetDownloadUrlForLayer',
  'ecr:GetRepositoryPolicy',
  'ecr:DescribeRepositories',
  'ecr:ListImages',
  'ecr:DescribeImages',
  'ecr:BatchGetImage',
  'ecr:GetLifecyclePolicy',
  'ecr:GetLifecyclePolicyPreview',
  'ecr:ListTagsForResource',
  'ecr:DescribeImageScanFindings',
];
const WRITE = ['ecr:InitiateLayerUpload', 'ecr:UploadLayerPart', 'ecr:CompleteLayerUpload', 'ecr:PutImage'];

/** Actions of the policies ECR users know (AWS Managed Policy Reference Guide). */
const ACTIONS = {
  AmazonEC2ContainerRegistryReadOnly: [...TOKEN, ...READ],
  AmazonEC2ContainerRegistryPowerUser: [...TOKEN, ...READ, ...WRITE],
  AmazonEC2ContainerRegistryFullAccess: ['ecr:*', 'cloudtrail:LookupEvents'],
  AmazonEC2ContainerRegistryPullOnly: [
    ...TOKEN,
    'ecr:BatchGetImage',
    'ecr:GetDownloadUrlForLayer',
    'ecr:BatchImportUpstreamImage',
  ],
} as const;

/** A policy that every server has. `arn` is `arn:aws:iam::aws:policy/NAME`. */
export interface ManagedPolicy extends NamedPolicy {
  readonly arn: string;
  /** The JSON a user sees. */
  readonly text: string;
}

export const managedPolicies: readonly ManagedPolicy[] = Object.entries(ACTIONS).map(([name, actions]) => {
  const statement = { Effect: 'Allow', Action: actions, Resource: '*' };
  const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement] }, undefined, 2);
  return { name, arn: `arn:aws:iam::aws:policy/${name}`, text, document: parsePolicy(text, 'identity') };
});

/**
 * The managed policy of this ARN, whatever its partition, or of this name, with or without `AmazonEC2ContainerRegistry`.
 * Undefined for any other text.
 */
export function findManagedPolicy(arnOrName: string): ManagedPolicy | undefined {
  const name = arnOrName.replace(/^arn:aws[a-z-]*:iam::aws:policy\//, '');
  return managedPolicies.find((policy) => policy.name === name || policy.name === `AmazonEC2ContainerRegistry${name}`);
}

/** The same, where it must exist. */
export function managedPolicy(arnOrName: string): ManagedPolicy {
  const policy = findManagedPolicy(arnOrName);
  if (!policy) throw new Error(`There is no managed policy '${arnOrName}'`);
  return policy;
}
