import type { ReplicationBackfillResult } from '@aws-sdk/client-ecr';
import type { BackfillResult } from '../../../core/replication/backfill-records.ts';
import { invalidParameter } from '../errors.ts';
import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn } from '../paging.ts';
import { progressView } from './backfill-view.ts';
import { destinationView } from './replication-view.ts';

const name = 'DescribeReplicationBackfillResults';
const RESULTS_DEFAULT = 100;

/** How far it is, and once it has ended what came of each pair of image and tag. */
export async function describeReplicationBackfillResults({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  const { replicationBackfillId: id, resultStatusFilter } = input;
  const { backfill, results, next } = await core.backfills.results(call, {
    id,
    ...(resultStatusFilter && { status: resultStatusFilter }),
    afterPosition: placeIn(input.nextToken),
    limit: input.maxResults ?? RESULTS_DEFAULT,
  });
  return {
    registryId: call.registry.accountId,
    replicationBackfillId: backfill.id,
    destination: destinationView(backfill.destination),
    status: backfill.status,
    failureCode: backfill.failureCode,
    progress: progressView(backfill),
    results: results?.map(resultView),
    startedAt: backfill.startedAt,
    endedAt: backfill.endedAt,
    nextToken: nextTokenOf(name, next === undefined ? undefined : [String(next)]),
  };
}

function placeIn(token: string | undefined): number {
  const [place = '0'] = positionIn(name, token, 1) ?? [];
  if (/^[0-9]{1,15}$/.test(place)) return Number(place);
  throw invalidParameter('nextToken', `Member must be a token that ${name} returned`);
}

function resultView(result: BackfillResult): ReplicationBackfillResult {
  const { repositoryName, digest, tag, status, failureCode, subImageFailureCodes } = result;
  return {
    repositoryName,
    imageId: { imageDigest: digest, imageTag: tag === '' ? undefined : tag },
    status,
    failureCode,
    subImageFailureCodes: subImageFailureCodes && [...subImageFailureCodes],
  };
}
