import type { Job, JobKind } from '../core/jobs/job-kinds.ts';
import type { JobLease } from '../core/jobs/job-records.ts';
import { doJob, type EndedJob, type JobWorld, newLease } from './do-job.ts';
import type { JobHandler, JobHandlers } from './job-handler.ts';

export interface JobRunnerOptions extends JobWorld {
  /** Jobs of other kinds stay in the queue, for a server that knows them. */
  readonly handlers: JobHandlers;
  /** How long disposal waits for jobs that are being done. */
  readonly stopSeconds: number;
  readonly onEnded: (job: Job, ended: EndedJob) => void;
  /** The store cannot be asked for jobs, or told what came of one; told once until it can again. */
  readonly onError: (error: unknown) => void;
}

const POLL_MS = 300;

/** The jobs of one kind that are being done. */
interface Lane {
  readonly kind: JobKind;
  readonly handler: JobHandler<JobKind>;
  readonly atOnceMax: number;
  readonly running: Map<Job, JobLease>;
}

/**
 * Does jobs as they come due: those of a kind oldest first and as many at a time as its handler says, those of
 * different kinds independently, so that a long one holds up no other kind. Disposal takes no more of them, tells those
 * under way to end, and puts back what did not.
 */
export function startJobRunner(options: JobRunnerOptions): AsyncDisposable {
  const { dependencies, handlers, timers, stopSeconds, onEnded, onError } = options;
  const { metadata, now } = dependencies;
  const lanes = lanesOf(handlers);
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  let timer: Disposable = timers.after(0, look);
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let isFailing = false;
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      timer[Symbol.dispose]();
      await looking;
      await Promise.race([Promise.all(running), passing(stopSeconds)]);
      await putBackRunning();
    },
  };

  function look(): void {
    if (stop.signal.aborted) return;
    timer[Symbol.dispose]();
    if (looking) {
      lookAgain = true;
      return;
    }
    lookAgain = false;
    looking = takeDue()
      .then(
        () => {
          isFailing = false;
        },
        (error: unknown) => fail(error),
      )
      .finally(() => {
        looking = undefined;
        if (!stop.signal.aborted) timer = timers.after(lookAgain ? 0 : POLL_MS, look);
      });
  }

  async function takeDue(): Promise<void> {
    const free = lanes.filter((lane) => lane.running.size < lane.atOnceMax);
    if (free.length === 0) return;
    const kinds = free.map(({ kind }) => kind);
    const due = new Set(await metadata.read.jobs.dueKinds(kinds, now()));
    const wanted = free.filter(({ kind }) => due.has(kind));
    if (wanted.length === 0 || stop.signal.aborted) return;
    const lease = newLease(options);
    const claimed = await metadata.transaction('own-rows', async ({ jobs }) => {
      const found: [Lane, Job[]][] = [];
      for (const lane of wanted) {
        found.push([lane, await jobs.claim(lane.kind, lease, now(), lane.atOnceMax - lane.running.size)]);
      }
      return found;
    });
    for (const [lane, jobs] of claimed) for (const job of jobs) begin(lane, job, lease);
  }

  function begin(lane: Lane, job: Job, lease: JobLease): void {
    lane.running.set(job, lease);
    const work = doJob(options, lane.handler, job, lease, stop.signal)
      .then((ended) => onEnded(job, ended), fail)
      .finally(() => {
        lane.running.delete(job);
        running.delete(work);
        look();
      });
    running.add(work);
  }

  function fail(error: unknown): void {
    if (!isFailing) onError(error);
    isFailing = true;
  }

  /** Their handlers may go on for a while: a job may be done twice. */
  async function putBackRunning(): Promise<void> {
    const left = lanes.flatMap((lane) => [...lane.running]);
    if (left.length === 0) return;
    await metadata
      .transaction('own-rows', async ({ jobs }) => {
        for (const [{ id }, { leaseId }] of left) await jobs.release(id, leaseId, now());
      })
      .catch(fail);
  }

  function passing(seconds: number): Promise<void> {
    return new Promise((resolve) => void timers.after(seconds * 1000, resolve));
  }
}

function lanesOf(handlers: JobHandlers): Lane[] {
  return Object.entries(handlers).map(([kind, handler]) => ({
    kind: kind as JobKind,
    // A handler is only given jobs of its own kind.
    handler: handler as JobHandler<JobKind>,
    atOnceMax: handler.atOnceMax ?? 1,
    running: new Map(),
  }));
}
