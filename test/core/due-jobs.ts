import type { JobKind } from '../../src/core/jobs/job-kinds.ts';
import { doJob, type EndedJob, newLease } from '../../src/jobs/do-job.ts';
import type { JobHandler, JobHandlers } from '../../src/jobs/job-handler.ts';
import type { CoreUnderTest } from './core-under-test.ts';
import { stillTimers } from './still-timers.ts';

/**
 * Does every job that is due now, and what follows from them, one after another.
 * @returns what came of each, in order
 */
export async function doDueJobs(
  { dependencies }: Pick<CoreUnderTest, 'dependencies'>,
  handlers: JobHandlers,
): Promise<(EndedJob & { kind: JobKind })[]> {
  const { metadata, now } = dependencies;
  const world = { dependencies, timers: stillTimers() };
  const kinds = Object.keys(handlers) as JobKind[];
  const ended: (EndedJob & { kind: JobKind })[] = [];
  for (;;) {
    const [kind] = await metadata.read.jobs.dueKinds(kinds, now());
    if (kind === undefined) return ended;
    const lease = newLease(world);
    const claimed = await metadata.transaction('alone', ({ jobs }) => jobs.claim(kind, lease, now(), 1));
    const handler = handlers[kind] as JobHandler<JobKind>;
    for (const job of claimed) {
      ended.push({ kind, ...(await doJob(world, handler, job, lease, new AbortController().signal)) });
    }
  }
}
