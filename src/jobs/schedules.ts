import { type CoreDependencies, secondsAfter } from '../core/dependencies.ts';
import type { JobKind } from '../core/jobs/job-kinds.ts';
import type { NewJob } from '../core/jobs/job-records.ts';
import type { Timers } from './timers.ts';

/** A job that is enqueued every so often, by one of the servers that work on the store. */
export interface Schedule {
  readonly name: string;
  /** 0 for never. */
  readonly intervalSeconds: number;
  /** With a key, so that those that nobody does do not pile up. */
  readonly job: NewJob<JobKind> & { readonly key: string };
}

export interface SchedulesOptions {
  readonly dependencies: ScheduleDependencies;
  readonly schedules: readonly Schedule[];
  readonly timers: Timers;
  /** Told once until the schedule can be looked at again. */
  readonly onError: (error: unknown, name: string) => void;
}

type ScheduleDependencies = Pick<CoreDependencies, 'metadata' | 'now'>;

/** The clock may be set, and another server may fire: no schedule is left alone for longer. */
const LOOK_MS_MAX = 60_000;

/** Fires schedules when they are due. They are kept in the store: a restart neither fires one nor puts it off. */
export function startSchedules({ dependencies, schedules, timers, onError }: SchedulesOptions): AsyncDisposable {
  const stopping = schedules
    .filter(({ intervalSeconds }) => intervalSeconds > 0)
    .map((schedule) => follow(dependencies, schedule, timers, (error) => onError(error, schedule.name)));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(stopping.map((followed) => followed[Symbol.asyncDispose]()));
    },
  };
}

/**
 * Enqueues the job of a schedule if it is due.
 * @returns when to look again
 */
export async function fireWhenDue({ metadata, now }: ScheduleDependencies, schedule: Schedule): Promise<Date> {
  const { name, intervalSeconds, job } = schedule;
  const firedAt = await metadata.read.jobs.firedAt(name);
  const at = now();
  const next = firedAt && secondsAfter(firedAt, intervalSeconds);
  // What fired in the future did so by a clock that was wrong: it must not keep the schedule waiting for that day.
  if (next && next > at && next <= secondsAfter(at, 2 * intervalSeconds)) return next;
  await metadata.transaction('own-rows', async ({ jobs }) => {
    if (await jobs.fire(name, intervalSeconds, at)) await jobs.enqueue(job, at);
  });
  return secondsAfter(at, intervalSeconds);
}

function follow(
  dependencies: ScheduleDependencies,
  schedule: Schedule,
  timers: Timers,
  onError: (error: unknown) => void,
): AsyncDisposable {
  const intervalMs = schedule.intervalSeconds * 1000;
  let timer = timers.after(0, look);
  let looking: Promise<void> | undefined;
  let isFailing = false;
  let isOver = false;
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      timer[Symbol.dispose]();
      await looking;
    },
  };

  function look(): void {
    looking = fireWhenDue(dependencies, schedule)
      .then(
        (next) => {
          isFailing = false;
          return next.getTime() - dependencies.now().getTime();
        },
        (error: unknown) => {
          if (!isFailing) onError(error);
          isFailing = true;
          return intervalMs;
        },
      )
      .then((waitMs) => {
        if (!isOver) timer = timers.after(Math.min(Math.max(waitMs, 0), LOOK_MS_MAX), look);
      });
  }
}
