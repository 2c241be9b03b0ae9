import type { JobKind, JobPayloads } from '../core/jobs/job-kinds.ts';

/** What does the jobs of one kind: one core call. A job may be done twice, and what it works on may be gone. */
export interface JobHandler<K extends JobKind> {
  /** Rejects when the job should be tried again; with a `GiveUpError` when that is of no use. */
  run(payload: JobPayloads[K], context: JobContext): Promise<void>;
  /** After so many attempts the job is given up and listed as dead. */
  readonly attemptsMax: number;
  /** How many jobs of the kind one server does at a time; 1 when left out. Kinds do not wait for one another. */
  readonly atOnceMax?: number;
  /** How long to wait before the next attempt, given how many there were. */
  retrySeconds(attempts: number): number;
}

export interface JobContext {
  /** Aborted when the server stops or the lease is lost: the job ends between two of its steps, and is done again later. */
  readonly signal: AbortSignal;
  /** Which attempt this is, counted from 1. */
  readonly attempts: number;
}

/** A runner leaves the jobs of a kind without a handler where they are. */
export type JobHandlers = { readonly [K in JobKind]?: JobHandler<K> };

/** Another attempt would come to the same: the job is given up at once. */
export class GiveUpError extends Error {
  override readonly name = 'GiveUpError';
}
