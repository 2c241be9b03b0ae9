import type { Job, JobKind, JobPayloads } from './job-kinds.ts';

export interface NewJob<K extends JobKind> {
  readonly kind: K;
  readonly payload: JobPayloads[K];
  /** Of two waiting jobs of a kind with the same key one is kept; one that is being done is no longer waiting. */
  readonly key?: string;
  /** Not before then; at once when left out. */
  readonly dueAt?: Date;
}

/** Who does a job, until when it is theirs. */
export interface JobLease {
  readonly leaseId: string;
  readonly until: Date;
}

export interface JobReads {
  /** Those of the kinds of which a job could be claimed. */
  dueKinds(kinds: readonly JobKind[], now: Date): Promise<JobKind[]>;
  find(id: number): Promise<Job | undefined>;
  /** Jobs of a kind that were given up, in the order of their ids, after an id. */
  dead(kind: JobKind, afterId: number, limit: number): Promise<Job[]>;
  /** How many jobs wait or are being done, and how many were given up, for each kind that has any. */
  counts(): Promise<{ readonly kind: JobKind; readonly waiting: number; readonly dead: number }[]>;
  /** When a schedule last fired, or was first asked for; undefined when it never was. */
  firedAt(schedule: string): Promise<Date | undefined>;
}

export interface JobRecords extends JobReads {
  enqueue<K extends JobKind>(job: NewJob<K>, now: Date): Promise<void>;
  /** Takes jobs of a kind that are due, oldest first, and those whose lease ran out; counts an attempt of each. */
  claim<K extends JobKind>(kind: K, lease: JobLease, now: Date, limit: number): Promise<Job<K>[]>;
  /** @returns false when the job is no longer the lease's */
  renew(id: number, lease: JobLease): Promise<boolean>;
  /** Forgets a job that was done. @returns false when it is no longer the lease's */
  complete(id: number, leaseId: string): Promise<boolean>;
  /** Puts a job back; it is dropped when another of its key waits already. */
  retry(id: number, leaseId: string, failure: { readonly dueAt: Date; readonly error: string }): Promise<void>;
  /** Puts back a job that was not done to its end, as if it had not been claimed; dropped as by `retry`. */
  release(id: number, leaseId: string, now: Date): Promise<void>;
  /** Releases every job that is being done: for a server that knows itself the only one. @returns how many */
  releaseAll(now: Date): Promise<number>;
  giveUp(id: number, leaseId: string, failure: { readonly at: Date; readonly error: string }): Promise<void>;
  /** Puts a job that was given up back into the queue, as if new; dropped as by `retry`. @returns whether there was one */
  revive(id: number, now: Date): Promise<boolean>;
  /** Forgets a job that was given up. @returns whether there was one */
  discard(id: number): Promise<boolean>;
  /** Forgets jobs given up before a time. @returns how many */
  discardDead(before: Date, limit: number): Promise<number>;
  /**
   * Whether a schedule is due; if so it is noted as fired, so that of several servers one fires it. One that was never
   * asked for before is due an interval later; one that fired more than an interval from now, by a wrong clock, is due.
   */
  fire(name: string, intervalSeconds: number, now: Date): Promise<boolean>;
}
