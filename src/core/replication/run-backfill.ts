import type { CoreDependencies } from '../dependencies.ts';
import type { Records } from '../metadata-store.ts';
import { itemsAfter } from './backfill-items.ts';
import type { Backfill, BackfillItem, BackfillResult } from './backfill-records.ts';
import { copyItem, failuresOfParts } from './copy-item.ts';
import type { Destinations } from './destinations.ts';
import { failureOf } from './failure-codes.ts';
import { ReplicationError } from './replicate-image.ts';
import { isDestination } from './replication-rules.ts';

/** Images that are being copied at a time. */
const AT_ONCE = 4;
/** Between two looks at whether it is to stop. */
const BATCH = 8;
/** With so many the trouble is not theirs. */
const PUT_OFF_MAX = 100;

export interface BackfillAttempt {
  readonly signal: AbortSignal;
  /** Whether none follows. */
  readonly isLast: boolean;
}

/**
 * The job 'run-backfill': lists what there is to copy, then copies it, and goes on from there after an end of any kind. An
 * image that cannot be copied is noted and passed over, one that may be copied later put off; for that, and for a destination that does
 * not answer, the next attempt is waited for by rejecting with ReplicationError. Ends between two images when the backfill is to stop.
 */
export async function runBackfill(
  dependencies: CoreDependencies,
  destinations: Destinations,
  backfillId: string,
  { signal, isLast }: BackfillAttempt,
): Promise<void> {
  const progress: Progress = { after: 0, batch: 1, putOff: [] };
  for (;;) {
    signal.throwIfAborted();
    const backfill = await dependencies.metadata.read.backfills.findById(backfillId);
    if (!backfill || backfill.endedAt !== undefined) return;
    if (backfill.status === 'STOPPING') return end(dependencies, backfill, 'STOPPING', { status: 'STOPPED' });
    if (!(await isStillWanted(dependencies, backfill))) {
      const failureCode = 'DestinationNotConfigured';
      return end(dependencies, backfill, backfill.status, { status: 'FAILED', failureCode });
    }
    if (backfill.status === 'PREPARING') await prepare(dependencies, backfill, signal);
    else if (!(await copySome({ dependencies, destinations, backfill, progress, signal, isLast }))) {
      if (progress.putOff.length > 0) throw progress.putOff[0];
      return end(dependencies, backfill, 'IN_PROGRESS', outcomeOf);
    }
  }
}

async function isStillWanted({ metadata }: CoreDependencies, { registry, destination }: Backfill): Promise<boolean> {
  return isDestination(await metadata.read.replication.rules(registry), destination);
}

/** Lists what there is to copy. */
async function prepare({ metadata }: CoreDependencies, backfill: Backfill, signal: AbortSignal): Promise<void> {
  const { id } = backfill;
  const last = await metadata.read.backfills.lastItem(id);
  let total = last?.position ?? 0;
  const isPreparing = async ({ backfills }: Records) => (await backfills.findById(id))?.status === 'PREPARING';
  for await (const items of itemsAfter(metadata.read, backfill, last)) {
    signal.throwIfAborted();
    if (items.length === 0) continue;
    const goesOn = await metadata.transaction('registry', async (records) => {
      // Of two servers that do the same, one goes on.
      const isNext = (await records.backfills.lastItem(id))?.position === (total === 0 ? undefined : total);
      if (!isNext || !(await isPreparing(records))) return false;
      await records.backfills.insertItems(id, items);
      return true;
    });
    if (!goesOn) return;
    total += items.length;
  }
  await metadata.transaction('registry', async (records) => {
    if (await isPreparing(records)) await records.backfills.update(id, { status: 'IN_PROGRESS', total });
  });
}

interface Run {
  readonly dependencies: CoreDependencies;
  readonly destinations: Destinations;
  readonly backfill: Backfill;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly isLast: boolean;
}

/** How far one attempt has come. */
interface Progress {
  /** The position of the last item that it took up. */
  after: number;
  /** How many are taken up together: one alone finds out whether the destination answers. */
  batch: number;
  /** Why items were left for the next attempt. */
  readonly putOff: ReplicationError[];
}

/** @returns false when nothing was left */
async function copySome(run: Run): Promise<boolean> {
  const { dependencies, backfill, progress } = run;
  const items = await dependencies.metadata.read.backfills.pendingItems(backfill.id, progress.after, progress.batch);
  const left = [...items];
  const troubles: unknown[] = [];
  const work = async () => {
    for (let item = left.shift(); item && troubles.length === 0; item = left.shift()) {
      await copyOne(run, item).catch((error: unknown) => troubles.push(error));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (troubles.length > 0) throw troubles[0];
  progress.after = items.at(-1)?.position ?? progress.after;
  progress.batch = BATCH;
  return items.length > 0;
}

/** Rejects when no other image is to be tried now either. */
async function copyOne(run: Run, item: BackfillItem): Promise<void> {
  const { dependencies, destinations, backfill, progress, signal, isLast } = run;
  signal.throwIfAborted();
  try {
    await copyItem(dependencies, destinations, backfill, item, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { code, outlook, isOfImage } = failureOf(error);
    if (outlook === 'wait' && !(isOfImage && isLast)) {
      const message = `${code}: ${error instanceof Error ? error.message : String(error)}`;
      const trouble = new ReplicationError(message, { isFinal: false, cause: error });
      if (!isOfImage || progress.putOff.push(trouble) > PUT_OFF_MAX) throw trouble;
      return;
    }
    const parts = await failuresOfParts(dependencies, destinations, backfill, item, signal);
    const subImages = parts.length > 0 && { subImageFailureCodes: parts };
    return note(dependencies, backfill, { ...item, status: 'FAILED', failureCode: code, ...subImages });
  }
  await note(dependencies, backfill, { ...item, status: 'COMPLETE' });
}

/** Nothing happens when another server did the same item; what was under way when the backfill was stopped counts. */
async function note(
  { metadata, now }: CoreDependencies,
  { id, registry, destination }: Backfill,
  result: BackfillResult,
) {
  const { status, failureCode, repositoryName, digest, tag } = result;
  await metadata.transaction('registry', async (records) => {
    const present = await records.backfills.findById(id);
    if (!present || !(await records.backfills.putResult(id, result))) return;
    const codes = new Set([...present.failureCodes, ...(failureCode === undefined ? [] : [failureCode])]);
    await records.backfills.update(id, {
      completed: present.completed + (status === 'COMPLETE' ? 1 : 0),
      failed: present.failed + (status === 'FAILED' ? 1 : 0),
      failureCodes: [...codes],
    });
    const repository = await records.repositories.find(registry, repositoryName);
    const image = repository && (await records.images.find(repository.id, digest));
    if (!image) return;
    const failure = failureCode !== undefined && { failureCode };
    await records.replication.putStatus(image.id, { destination, tag, status, ...failure, updatedAt: now() });
  });
}

type End = Pick<Backfill, 'status' | 'failureCode'>;

/** One of which nothing could be copied has failed. */
function outcomeOf({ total, failed, failureCodes: [failureCode] }: Backfill): End {
  if (total === 0 || failed < total) return { status: 'COMPLETE' };
  return { status: 'FAILED', ...(failureCode !== undefined && { failureCode }) };
}

/** Unless it has got another status meanwhile, or still has something to do. */
async function end(
  { metadata, now }: CoreDependencies,
  { id }: Backfill,
  from: Backfill['status'],
  outcome: End | ((backfill: Backfill) => End),
): Promise<void> {
  await metadata.transaction('registry', async ({ backfills }) => {
    const present = await backfills.findById(id);
    if (present?.status !== from) return;
    await backfills.update(id, { ...(typeof outcome === 'function' ? outcome(present) : outcome), endedAt: now() });
  });
}

/** Says of a backfill that it is not gone on with, and why. */
export async function failBackfill(dependencies: CoreDependencies, backfillId: string, error: unknown): Promise<void> {
  const backfill = await dependencies.metadata.read.backfills.findById(backfillId);
  if (!backfill || backfill.endedAt !== undefined) return;
  const { code: failureCode } = failureOf(error instanceof ReplicationError ? error.cause : error);
  await end(dependencies, backfill, backfill.status, { status: 'FAILED', failureCode });
}
