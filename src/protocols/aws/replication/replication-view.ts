import type { ReplicationConfiguration, ReplicationDestination } from '@aws-sdk/client-ecr';
import type { ReplicationRule } from '../../../core/replication/replication-records.ts';
import type { Registry } from '../../../core/values/registry.ts';

export function configurationView(rules: readonly ReplicationRule[]): ReplicationConfiguration {
  return {
    rules: rules.map(({ destinations, prefixes }) => ({
      destinations: destinations.map(destinationView),
      repositoryFilters:
        prefixes.length === 0 ? undefined : prefixes.map((filter) => ({ filter, filterType: 'PREFIX_MATCH' })),
    })),
  };
}

export function destinationView({ accountId, region }: Registry): ReplicationDestination {
  return { region, registryId: accountId };
}

export function destinationOf({
  region,
  registryId,
}: {
  readonly region: string;
  readonly registryId: string;
}): Registry {
  return { accountId: registryId, region };
}
