import type { OperationRequest, Output } from '../operation.ts';
import { configurationView, destinationOf } from './replication-view.ts';

type Name = 'PutReplicationConfiguration';

/** Replaces the configuration as a whole. */
export async function putReplicationConfiguration({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const rules = input.replicationConfiguration.rules.map(({ destinations, repositoryFilters = [] }) => ({
    destinations: destinations.map(destinationOf),
    prefixes: repositoryFilters.map(({ filter }) => filter),
  }));
  await core.replication.putRules(call, rules);
  return { replicationConfiguration: configurationView(rules) };
}
