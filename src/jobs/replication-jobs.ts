import type { CoreDependencies } from '../core/dependencies.ts';
import type { Destinations } from '../core/replication/destinations.ts';
import { ReplicationError, replicateImage } from '../core/replication/replicate-image.ts';
import { failBackfill, runBackfill } from '../core/replication/run-backfill.ts';
import { GiveUpError, type JobHandler } from './job-handler.ts';

/** A destination that is back is noticed within so long. */
const RETRY_SECONDS_MAX = 300;
/** Some seven days of them. */
const ATTEMPTS_MAX = 2030;

const RETRIED_FOR_A_WEEK: Pick<JobHandler<never>, 'attemptsMax' | 'retrySeconds'> = {
  attemptsMax: ATTEMPTS_MAX,
  retrySeconds: (attempts) => Math.min(2 ** attempts, RETRY_SECONDS_MAX),
};

export function replicateImageJob(
  dependencies: CoreDependencies,
  destinations: Destinations,
): JobHandler<'replicate-image'> {
  return {
    ...RETRIED_FOR_A_WEEK,
    atOnceMax: 6,
    async run(wanted, { signal, attempts }) {
      try {
        await replicateImage(dependencies, destinations, wanted, { signal, isLast: attempts >= ATTEMPTS_MAX });
      } catch (error) {
        if (error instanceof ReplicationError && error.isFinal) throw new GiveUpError(error.message, { cause: error });
        throw error;
      }
    },
  };
}

/** One that cannot be gone on with says so to whoever waits for it. */
export function runBackfillJob(dependencies: CoreDependencies, destinations: Destinations): JobHandler<'run-backfill'> {
  return {
    ...RETRIED_FOR_A_WEEK,
    // As many as a registry may have in progress: one that waits holds up no other.
    atOnceMax: 10,
    async run({ backfillId }, { signal, attempts }) {
      const isLast = attempts >= ATTEMPTS_MAX;
      try {
        await runBackfill(dependencies, destinations, backfillId, { signal, isLast });
      } catch (error) {
        if (isLast && !signal.aborted) await failBackfill(dependencies, backfillId, error);
        throw error;
      }
    },
  };
}
