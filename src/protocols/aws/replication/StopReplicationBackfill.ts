import type { OperationRequest, Output } from '../operation.ts';
import { destinationView } from './replication-view.ts';

type Name = 'StopReplicationBackfill';

export async function stopReplicationBackfill({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { id, destination, status, startedAt } = await core.backfills.stop(call, input.replicationBackfillId);
  return {
    registryId: call.registry.accountId,
    replicationBackfillId: id,
    destination: destinationView(destination),
    status,
    startedAt,
  };
}
