import { secondsAfter } from '../dependencies.ts';
import type { Reads } from '../metadata-store.ts';
import { uniqueDestinations } from '../replication/replication-rules.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { Registry } from '../values/registry.ts';
import { QUOTA_DEFAULTS, type QuotaLimits, type QuotaName } from './quotas.ts';
import type { RepositoryUsage, StoredUsage } from './usage-records.ts';

/** What a registry holds, against what it may hold. */
export interface RegistryUsage {
  readonly registry: Registry;
  readonly quotas: readonly QuotaUse[];
  /** In the order of names. */
  readonly repositories: readonly NamedRepositoryUsage[];
  readonly total: RegistryTotal;
}

export interface QuotaUse {
  readonly name: QuotaName;
  readonly limit: number;
  /** Of a quota of each repository, image or layer: the one that has most. */
  readonly used: number;
  /** Where that one is. */
  readonly repositoryName?: string;
}

export interface NamedRepositoryUsage extends RepositoryUsage {
  readonly repositoryName: string;
  readonly resourceTags: number;
  readonly lifecycleRules: number;
}

export interface RegistryTotal extends StoredUsage {
  readonly repositories: number;
  readonly images: number;
  readonly archivedImages: number;
  readonly tags: number;
  readonly logicalBytes: number;
  readonly archivedLogicalBytes: number;
  /** By how much what is stored is less than the logical bytes: layers that images and repositories share. */
  readonly savedBytes: number;
}

const DAY_SECONDS = 24 * 3600;
const PAGE_REPOSITORIES = 100;
/** More than anybody allows of templates, or of rules. */
const COUNTED_MAX = 100_000;

/**
 * Reads repository by repository, so that memory grows with their number alone. A server may change things meanwhile; the
 * numbers are then those of no single moment.
 */
export async function readRegistryUsage(
  read: Reads,
  registry: Registry,
  limits: QuotaLimits,
  at: Date,
  onProgress: (repositories: number) => void = () => {},
): Promise<RegistryUsage> {
  const repositories: NamedRepositoryUsage[] = [];
  for (let after = ''; ; ) {
    const page = await read.repositories.page(registry, after, PAGE_REPOSITORIES);
    for (const repository of page) repositories.push(await usageOf(read, repository));
    onProgress(repositories.length);
    if (page.length < PAGE_REPOSITORIES) break;
    after = page.at(-1)!.name;
  }
  const templates = await read.creationTemplates.page(registry, '', COUNTED_MAX);
  const cacheRules = await read.cacheRules.page(registry, '', COUNTED_MAX);
  const replicationRules = await read.replication.rules(registry);
  const ofRegistry = {
    'repositories-per-registry': repositories.length,
    'pull-time-exclusions': await read.pullTimes.countExclusions(registry),
    'creation-templates': templates.length,
    'pull-through-cache-rules': cacheRules.length,
    'replication-destinations': uniqueDestinations(replicationRules).length,
    'scans-per-day': await read.scanning.countStarted(registry, 'BASIC', secondsAfter(at, -DAY_SECONDS)),
  };
  return {
    registry,
    quotas: quotaUses(limits, ofRegistry, repositories),
    repositories,
    total: totalOf(repositories, await read.usage.stored(registry)),
  };
}

async function usageOf(read: Reads, { id, name, resourceTags }: Repository): Promise<NamedRepositoryUsage> {
  const policy = await read.lifecycle.policy(id);
  return {
    repositoryName: name,
    ...(await read.usage.ofRepository(id)),
    resourceTags: resourceTags.length,
    lifecycleRules: policy === undefined ? 0 : rulesIn(policy.document),
  };
}

/** The document was checked when it was put. */
function rulesIn(document: string): number {
  const { rules } = JSON.parse(document) as { rules: readonly unknown[] };
  return rules.length;
}

/** Which number of a repository a quota bounds. */
const OF_REPOSITORY = {
  'images-per-repository': 'images',
  'tags-per-image': 'tagsOfImageMax',
  'repository-tags': 'resourceTags',
  'layer-parts': 'layerPartsMax',
  'layer-bytes': 'layerBytesMax',
  'lifecycle-rules': 'lifecycleRules',
} as const satisfies { readonly [Name in QuotaName]?: keyof NamedRepositoryUsage };

type OfRegistry = Readonly<Record<Exclude<QuotaName, keyof typeof OF_REPOSITORY>, number>>;

function quotaUses(
  limits: QuotaLimits,
  ofRegistry: OfRegistry,
  repositories: readonly NamedRepositoryUsage[],
): QuotaUse[] {
  const names = Object.keys(QUOTA_DEFAULTS) as QuotaName[];
  return names.map((name): QuotaUse => {
    const limit = limits[name];
    if (!(name in OF_REPOSITORY)) return { name, limit, used: ofRegistry[name as keyof OfRegistry] };
    const member = OF_REPOSITORY[name as keyof typeof OF_REPOSITORY];
    const largest = repositories.reduce<NamedRepositoryUsage | undefined>(
      (most, one) => (one[member] > (most?.[member] ?? 0) ? one : most),
      undefined,
    );
    return largest
      ? { name, limit, used: largest[member], repositoryName: largest.repositoryName }
      : { name, limit, used: 0 };
  });
}

function totalOf(repositories: readonly NamedRepositoryUsage[], stored: StoredUsage): RegistryTotal {
  const sum = (member: 'images' | 'archivedImages' | 'tags' | 'logicalBytes' | 'archivedLogicalBytes') =>
    repositories.reduce((total, one) => total + one[member], 0);
  const logicalBytes = sum('logicalBytes');
  return {
    repositories: repositories.length,
    images: sum('images'),
    archivedImages: sum('archivedImages'),
    tags: sum('tags'),
    logicalBytes,
    archivedLogicalBytes: sum('archivedLogicalBytes'),
    ...stored,
    // Layers that no image uses any more may be more than what is shared.
    savedBytes: Math.max(0, logicalBytes - stored.storedBytes),
  };
}
