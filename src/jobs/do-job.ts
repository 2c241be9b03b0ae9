import { type CoreDependencies, secondsAfter } from '../core/dependencies.ts';
import type { Job, JobKind } from '../core/jobs/job-kinds.ts';
import type { JobLease } from '../core/jobs/job-records.ts';
import { GiveUpError, type JobHandler } from './job-handler.ts';
import type { Timers } from './timers.ts';

/** What jobs are done with. */
export interface JobWorld {
  readonly dependencies: Pick<CoreDependencies, 'metadata' | 'now' | 'newId' | 'randomBytes'>;
  readonly timers: Timers;
}

/** A job that is put back is done again at once by whoever comes first; one that is lost is another's by now. */
export type JobOutcome = 'done' | 'retried' | 'given-up' | 'put-back' | 'lost';

export interface EndedJob {
  readonly outcome: JobOutcome;
  /** What the handler rejected with. */
  readonly error?: unknown;
}

/**
 * How long a server may be silent about a job before another takes it: with the look for due jobs, what a dead server was at
 * goes on well within half a minute. Three renewals may fail, as they do while a database restarts; a job that is lost for
 * more than that is done twice, which every job can be. Servers compare the time with their own clocks.
 */
const LEASE_SECONDS = 20;
const RENEWAL_SECONDS = 5;

/** A lease from now on. */
export function newLease({ dependencies: { now, newId } }: JobWorld): JobLease {
  return { leaseId: newId(), until: secondsAfter(now(), LEASE_SECONDS) };
}

/**
 * Does a job that was claimed, and notes what came of it. Its lease is renewed meanwhile.
 * @param stop ends it between two of its steps; it is put back then
 * @throws when what came of it cannot be noted; it is done again when its lease is over
 */
export async function doJob<K extends JobKind>(
  world: JobWorld,
  handler: JobHandler<K>,
  job: Job<K>,
  lease: JobLease,
  stop: AbortSignal,
): Promise<EndedJob> {
  const { metadata, now } = world.dependencies;
  const { id, attempts } = job;
  const { leaseId } = lease;
  if (attempts > handler.attemptsMax) return giveUp(new Error('The server ended each time the job was being done'));
  const lost = new AbortController();
  using _ = keepLease(world, id, lease, () => lost.abort());
  try {
    const signal = AbortSignal.any([stop, lost.signal]);
    signal.throwIfAborted();
    await handler.run(job.payload, { signal, attempts });
  } catch (error) {
    if (lost.signal.aborted) return { outcome: 'lost', error };
    if (stop.aborted) {
      await metadata.transaction('own-rows', ({ jobs }) => jobs.release(id, leaseId, now()));
      return { outcome: 'put-back' };
    }
    if (attempts >= handler.attemptsMax || error instanceof GiveUpError) return giveUp(error);
    const dueAt = secondsAfter(now(), handler.retrySeconds(attempts) * jitter(world));
    await metadata.transaction('own-rows', ({ jobs }) => jobs.retry(id, leaseId, { dueAt, error: describe(error) }));
    return { outcome: 'retried', error };
  }
  const isOurs = await metadata.transaction('own-rows', ({ jobs }) => jobs.complete(id, leaseId));
  return { outcome: isOurs ? 'done' : 'lost' };

  async function giveUp(error: unknown): Promise<EndedJob> {
    await metadata.transaction('own-rows', ({ jobs }) =>
      jobs.giveUp(id, leaseId, { at: now(), error: describe(error) }),
    );
    return { outcome: 'given-up', error };
  }
}

/** Renews a lease until disposal. A renewal that fails is tried again as long as the lease lasts. */
function keepLease({ dependencies, timers }: JobWorld, id: number, lease: JobLease, onLost: () => void): Disposable {
  const { metadata, now } = dependencies;
  let { until } = lease;
  let isOver = false;
  let timer = timers.after(RENEWAL_SECONDS * 1000, renew);
  return {
    [Symbol.dispose]() {
      isOver = true;
      timer[Symbol.dispose]();
    },
  };

  function renew(): void {
    const wanted = { ...lease, until: secondsAfter(now(), LEASE_SECONDS) };
    metadata
      .transaction('own-rows', ({ jobs }) => jobs.renew(id, wanted))
      .then(
        (isOurs) => {
          if (isOurs) until = wanted.until;
          return isOurs;
        },
        () => now() < until,
      )
      .then((isOurs) => {
        if (isOver) return;
        if (isOurs) timer = timers.after(RENEWAL_SECONDS * 1000, renew);
        else onLost();
      });
  }
}

/** From three quarters to five quarters, so that what failed together is not tried again together. */
function jitter({ dependencies: { randomBytes } }: JobWorld): number {
  return 0.75 + new DataView(randomBytes(4).slice().buffer).getUint32(0) / 2 ** 33;
}

const ERROR_CHARACTERS_MAX = 1000;

function describe(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, ERROR_CHARACTERS_MAX);
}
