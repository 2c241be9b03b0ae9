import type { CoreDependencies } from '../dependencies.ts';
import { announce } from '../events/announce.ts';
import type { Image } from '../images/image-records.ts';
import type { JobPayloads } from '../jobs/job-kinds.ts';
import type { Reads, Records } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { isSameRegistry } from '../values/registry.ts';
import { copyTagged } from './copy-tagged.ts';
import type { Destinations } from './destinations.ts';
import { type Failure, failureOf } from './failure-codes.ts';
import type { ImageReplication } from './replication-records.ts';
import { destinationsOf } from './replication-rules.ts';

type Wanted = JobPayloads['replicate-image'];

export interface ReplicationAttempt {
  readonly signal: AbortSignal;
  /** Whether none follows. */
  readonly isLast: boolean;
}

/** An image was not copied. */
export class ReplicationError extends Error {
  /** Whether another attempt would come to the same. */
  readonly isFinal: boolean;
  constructor(message: string, { isFinal, cause }: { isFinal: boolean; cause: unknown }) {
    super(message, { cause });
    this.name = 'ReplicationError';
    this.isFinal = isFinal;
  }
}

/**
 * The job 'replicate-image': copies an image with what it lists and what refers to it to a destination, and puts the tag on it
 * that it was pushed under, if it still has it. Repeatable: what is there is not sent again. Nothing happens when the image
 * is gone. Rejects with ReplicationError.
 */
export async function replicateImage(
  dependencies: CoreDependencies,
  destinations: Destinations,
  wanted: Wanted,
  attempt: ReplicationAttempt,
): Promise<void> {
  const { read } = dependencies.metadata;
  const repository = await read.repositories.findById(wanted.repositoryId);
  const image = repository && (await read.images.find(repository.id, wanted.digest));
  if (!repository || !image) return;
  const task: Task = { dependencies, destinations, wanted, repository, image };
  if (!(await isStillWanted(task))) return end(task, { status: 'FAILED', failureCode: 'DestinationNotConfigured' });
  if (image.status !== 'ACTIVE') return end(task, { status: 'FAILED', failureCode: 'ImageArchived' });
  try {
    const { digest, tag, destination } = wanted;
    const { signal } = attempt;
    await copyTagged(
      dependencies,
      destinations,
      { repository, digest, tag, destination },
      { withReferrers: true, signal },
    );
  } catch (error) {
    attempt.signal.throwIfAborted();
    await fail(task, error, attempt);
  }
  await end(task, { status: 'COMPLETE' });
}

interface Task {
  readonly dependencies: CoreDependencies;
  readonly destinations: Destinations;
  readonly wanted: Wanted;
  readonly repository: Repository;
  readonly image: Image;
}

/** What was configured otherwise meanwhile is not tried on for days. */
async function isStillWanted({ dependencies: { metadata }, repository, wanted }: Task): Promise<boolean> {
  const present = destinationsOf(await metadata.read.replication.rules(repository.registry), repository.name);
  return present.some((destination) => isSameRegistry(destination, wanted.destination));
}

async function fail(task: Task, error: unknown, { isLast }: ReplicationAttempt): Promise<never> {
  const failure = failureOf(error);
  const isOver = isLast || failure.outlook !== 'wait';
  await end(task, { status: isOver ? 'FAILED' : 'IN_PROGRESS', failureCode: failure.code });
  throw new ReplicationError(describe(error, failure), { isFinal: failure.outlook === 'final', cause: error });
}

function describe(error: unknown, { code }: Failure): string {
  return `${code}: ${error instanceof Error ? error.message : String(error)}`;
}

/** Notes what came of it; of a failure the destination is told once, if it is a registry of this server. */
async function end(task: Task, outcome: Pick<ImageReplication, 'status' | 'failureCode'>): Promise<void> {
  const { dependencies, destinations, wanted, image } = task;
  const { metadata, now } = dependencies;
  const { destination, tag = '' } = wanted;
  const at = now();
  const known = await statusOf(metadata.read, task);
  // Thousands of copies may wait for one destination: none of them writes each time that it is still away.
  if (known?.status === outcome.status && known.failureCode === outcome.failureCode) return;
  const isLocal = await destinations.isLocal(destination);
  await metadata.transaction('repository', async (records) => {
    if (!(await records.repositories.findById(task.repository.id))) return;
    const before = await statusOf(records, task);
    await records.replication.putStatus(image.id, { destination, tag, ...outcome, updatedAt: at });
    if (outcome.status === 'FAILED' && before?.status !== 'FAILED' && isLocal) await announceFailure(records, task, at);
  });
}

async function statusOf({ replication }: Pick<Reads, 'replication'>, { wanted, image }: Task) {
  const { destination, tag = '' } = wanted;
  const statuses = await replication.statusesOf(image.id);
  return statuses.find((each) => each.tag === tag && isSameRegistry(each.destination, destination));
}

async function announceFailure(records: Records, { repository, image, wanted }: Task, at: Date): Promise<void> {
  const { destination, tag } = wanted;
  const event = {
    kind: 'image-replicated',
    result: 'FAILED',
    repositoryName: repository.name,
    digest: image.digest,
    ...(tag !== undefined && { tag }),
    source: repository.registry,
  } as const;
  await announce(records, destination, event, at);
}
