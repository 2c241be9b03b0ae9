import type { Digest } from '../values/digest.ts';
import type { Registry } from '../values/registry.ts';

/** Copies to a destination what was there before it was configured (ECR API, ReplicationBackfillSummary). */
export interface Backfill {
  /** A UUID. */
  readonly id: string;
  readonly registry: Registry;
  readonly destination: Registry;
  readonly status: BackfillStatus;
  readonly failureCode?: string;
  /** How many pairs of image and tag; 0 while they are being listed. */
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  /** Those that occurred, each once. */
  readonly failureCodes: readonly string[];
  readonly startedAt: Date;
  /** Once it has ended. */
  readonly endedAt?: Date;
}

export type BackfillStatus = 'PREPARING' | 'IN_PROGRESS' | 'COMPLETE' | 'FAILED' | 'STOPPING' | 'STOPPED';

export type BackfillResultStatus = 'COMPLETE' | 'FAILED';

/** A pair of image and tag that a backfill copies. */
export interface BackfillItem {
  /** Counted from 1 in the order of repository names, digests and tags. */
  readonly position: number;
  readonly repositoryName: string;
  readonly digest: Digest;
  /** Empty for an image without a tag. */
  readonly tag: string;
}

/** What came of one. */
export interface BackfillResult extends BackfillItem {
  readonly status: BackfillResultStatus;
  readonly failureCode?: string;
  /** Of what an index lists. */
  readonly subImageFailureCodes?: readonly string[];
}

/** Where a list goes on. */
export interface BackfillPosition {
  readonly startedAt: Date;
  readonly id: string;
}

export interface BackfillReads {
  find(registry: Registry, id: string): Promise<Backfill | undefined>;
  findById(id: string): Promise<Backfill | undefined>;
  /** Of a registry, newest first, after a position; those that ended before a time are left out. */
  page(
    registry: Registry,
    options: { readonly endedSince: Date; readonly after?: BackfillPosition | undefined; readonly limit: number },
  ): Promise<Backfill[]>;
  /** Of a registry: those that have not ended. */
  running(registry: Registry): Promise<Backfill[]>;
  /** The last of those that were listed. */
  lastItem(id: string): Promise<BackfillItem | undefined>;
  /** Those that nothing has come of yet, in order, after a position. */
  pendingItems(id: string, afterPosition: number, limit: number): Promise<BackfillItem[]>;
  /** In order, after a position. */
  results(
    id: string,
    status: BackfillResultStatus | undefined,
    afterPosition: number,
    limit: number,
  ): Promise<BackfillResult[]>;
}

export interface BackfillRecords extends BackfillReads {
  insert(backfill: Backfill): Promise<void>;
  update(
    id: string,
    changes: Partial<
      Pick<Backfill, 'status' | 'failureCode' | 'total' | 'completed' | 'failed' | 'failureCodes' | 'endedAt'>
    >,
  ): Promise<void>;
  insertItems(id: string, items: readonly BackfillItem[]): Promise<void>;
  /** @returns whether nothing had come of the item before; else it stays as it was */
  putResult(id: string, result: BackfillResult): Promise<boolean>;
  /** Forgets those of a registry that ended before a time, with their results. @returns how many */
  deleteEnded(registry: Registry, before: Date): Promise<number>;
}
