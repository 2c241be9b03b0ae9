import type { JobKind, JobPayloads } from '../core/jobs/job-kinds.ts';

/** What does the jobs of one kind: one core call. A job may be done twice, and what it works on may be gone. */
export interface JobHandler<K extends JobKind> {
  /** Rejects when the job should be tried again. */
  run(payload: JobPayloads[K], context: JobContext): Promise<void>;
  /** After so many attempts the job is given up and listed as dead. */
  readonly attemptsMax: number;
  /** How long to wait before the next attempt, given how many there were. */
  retrySeconds(attempts: number): number;
}

export interface JobContext {
  /** Aborted when the server stops or the lease is lost: the job ends between two of its steps, and is done again later. */
  readonly signal: AbortSignal;
  /** Which attempt this is, counted from 1. */
  readonly attempts: number;
}

export type JobHandlers = { readonly [K in JobKind]?: JobHandler<K> };
