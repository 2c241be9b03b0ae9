/** A registry is one account in one region; it owns repositories and shares blobs among them. */
export interface Registry {
  /** Twelve digits. */
  readonly accountId: string;
  readonly region: string;
}

const ACCOUNT_ID = /^[0-9]{12}$/;
const REGION = /^[0-9a-z-]{2,25}$/;

export function isAccountId(text: string): boolean {
  return ACCOUNT_ID.test(text);
}

/** ECR's API model, type Region. */
export function isRegion(text: string): boolean {
  return REGION.test(text);
}

export function isSameRegistry(one: Registry, other: Registry): boolean {
  return one.accountId === other.accountId && one.region === other.region;
}

/** `arn:PARTITION:ecr:REGION:ACCOUNT:repository/NAME` (ECR user guide, "Resource types"). */
export function repositoryArn(registry: Registry, repositoryName: string): string {
  return `arn:${partitionOf(registry.region)}:ecr:${registry.region}:${registry.accountId}:repository/${repositoryName}`;
}

/** The registry and name a repository's ARN speaks of; undefined for any other text. */
export function parseRepositoryArn(arn: string): { registry: Registry; repositoryName: string } | undefined {
  const [scheme, partition, service, region, accountId, ...rest] = arn.split(':');
  const resource = rest.join(':');
  if (scheme !== 'arn' || !partition?.startsWith('aws') || service !== 'ecr') return undefined;
  if (!region || !isRegion(region) || !accountId || !isAccountId(accountId)) return undefined;
  if (!resource.startsWith('repository/')) return undefined;
  return { registry: { accountId, region }, repositoryName: resource.slice('repository/'.length) };
}

/** The ARN partition a region belongs to (AWS General Reference, "Partitions"). */
export function partitionOf(region: string): string {
  const known = PARTITIONS.find(([prefix]) => region.startsWith(prefix));
  return known ? known[1] : 'aws';
}

const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-isob-', 'aws-iso-b'],
  ['us-isof-', 'aws-iso-f'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-iso-', 'aws-iso'],
  ['eusc-', 'aws-eusc'],
];
