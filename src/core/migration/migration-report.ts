import type { BlobOutcome } from '../transfer/transfer.ts';

export interface MigrationPlan {
  /** Names in which `*` stands for anything; all repositories when there are none. */
  readonly repositories: readonly string[];
  /** Likewise; without any, what has no tag is taken too. */
  readonly tags: readonly string[];
  /** Put before every name. */
  readonly toPrefix: string;
  readonly withSettings: boolean;
  /** Nothing is written; what would be is counted. */
  readonly isDryRun: boolean;
  /** So many images at a time. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (report: MigrationReport) => void;
}

/** What came of it; numbers grow as things go. */
export interface MigrationReport {
  repositories: number;
  /** `present`: there already, with the same digest. */
  readonly images: Record<'copied' | 'present' | 'failed', number>;
  readonly blobs: Record<BlobOutcome, number>;
  /** Of blobs whose bytes were sent, or in a dry run would be at most. */
  storedBytes: number;
  /** Bytes that have passed, also of what failed later. */
  passedBytes: number;
  readonly settings: Record<'put' | 'present' | 'failed', number>;
  readonly failures: MigrationFailure[];
  /** What could not be taken over and is none of the migration's fault. */
  readonly notes: string[];
  isAborted: boolean;
}

export interface MigrationFailure {
  /** `app:v1`, `app@sha256:…`, `app`, or the registry's name. */
  readonly subject: string;
  readonly reason: string;
}
