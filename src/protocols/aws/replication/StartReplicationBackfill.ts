import type { OperationRequest, Output } from '../operation.ts';
import { destinationOf, destinationView } from './replication-view.ts';

type Name = 'StartReplicationBackfill';

export async function startReplicationBackfill({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { id, destination, status, startedAt } = await core.backfills.start(call, destinationOf(input.destination));
  return {
    replicationBackfillId: id,
    registryId: call.registry.accountId,
    destination: destinationView(destination),
    status,
    startedAt,
  };
}
