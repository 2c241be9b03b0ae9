import type { ReplicationBackfillProgress } from '@aws-sdk/client-ecr';
import type { Backfill } from '../../../core/replication/backfill-records.ts';

/** Nothing is told of it before it is known how much there is to do. */
export function progressView({
  status,
  total,
  completed,
  failed,
  failureCodes,
}: Backfill): ReplicationBackfillProgress | undefined {
  if (status === 'PREPARING') return undefined;
  return {
    totalReplicationCount: total,
    completedReplicationCount: completed,
    failedReplicationCount: failed,
    failureCodes: [...failureCodes],
  };
}
