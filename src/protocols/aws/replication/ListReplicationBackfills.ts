import { invalidParameter } from '../errors.ts';
import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn } from '../paging.ts';
import { progressView } from './backfill-view.ts';
import { destinationView } from './replication-view.ts';

const name = 'ListReplicationBackfills';
const RESULTS_DEFAULT = 25;

/** Newest first; those that ended long ago are left out. */
export async function listReplicationBackfills({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  const after = positionOf(input.nextToken);
  const page = await core.backfills.list(call, {
    limit: input.maxResults ?? RESULTS_DEFAULT,
    ...(after && { after }),
  });
  return {
    registryId: call.registry.accountId,
    backfills: page.backfills.map((backfill) => ({
      replicationBackfillId: backfill.id,
      destination: destinationView(backfill.destination),
      status: backfill.status,
      failureCode: backfill.failureCode,
      progress: progressView(backfill),
      startedAt: backfill.startedAt,
      endedAt: backfill.endedAt,
    })),
    nextToken: nextTokenOf(name, page.next && [String(page.next.startedAt.getTime()), page.next.id]),
  };
}

function positionOf(token: string | undefined) {
  const [time, id] = positionIn(name, token, 2) ?? [];
  if (time === undefined || id === undefined) return undefined;
  if (/^[0-9]{1,15}$/.test(time)) return { startedAt: new Date(Number(time)), id };
  throw invalidParameter('nextToken', `Member must be a token that ${name} returned`);
}
