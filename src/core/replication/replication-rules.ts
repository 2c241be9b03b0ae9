import { refuse } from '../errors.ts';
import type { QuotaLimits } from '../quotas/quotas.ts';
import { isSameRegistry, type Registry } from '../values/registry.ts';
import type { ReplicationRule } from './replication-records.ts';

/** Refuses with invalid-parameter. */
export function checkRules(registry: Registry, rules: readonly ReplicationRule[], limits: QuotaLimits): void {
  const destinations = uniqueDestinations(rules);
  const limit = limits['replication-destinations'];
  if (destinations.some((destination) => isSameRegistry(destination, registry))) {
    refuseRules('Replication destination cannot be the same as the source registry');
  }
  // "Up to 25 unique destinations" (ECR user guide, "Private image replication"); the operation declares no LimitExceeded.
  if (destinations.length > limit) {
    const given = `Replication configuration cannot have more than ${limit} unique destinations`;
    refuseRules(`${given}; this one has ${destinations.length}`);
  }
}

/** Where a repository's images go. */
export function destinationsOf(rules: readonly ReplicationRule[], repositoryName: string): Registry[] {
  const matching = rules.filter(({ prefixes }) => {
    return prefixes.length === 0 || prefixes.some((prefix) => repositoryName.startsWith(prefix));
  });
  return uniqueRegistries(matching.flatMap(({ destinations }) => destinations));
}

/** Where the images of any repository go. */
export function uniqueDestinations(rules: readonly ReplicationRule[]): Registry[] {
  return uniqueRegistries(rules.flatMap(({ destinations }) => destinations));
}

export function isDestination(rules: readonly ReplicationRule[], destination: Registry): boolean {
  return rules.some(({ destinations }) => destinations.some((each) => isSameRegistry(each, destination)));
}

export function registryKey({ accountId, region }: Registry): string {
  return `${accountId}/${region}`;
}

function uniqueRegistries(registries: readonly Registry[]): Registry[] {
  return [...new Map(registries.map((registry) => [registryKey(registry), registry])).values()];
}

function refuseRules(constraint: string): never {
  return refuse({ kind: 'invalid-parameter', parameter: 'replicationConfiguration', constraint });
}
