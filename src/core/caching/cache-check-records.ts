import type { Digest } from '../values/digest.ts';

/** What a tag was on upstream when that was last asked. */
export interface CacheCheck {
  readonly repositoryId: number;
  readonly tag: string;
  readonly digest: Digest;
  readonly checkedAt: Date;
}

export interface CacheCheckReads {
  find(repositoryId: number, tag: string): Promise<CacheCheck | undefined>;
  /** Of one repository, in the order of tags, after a tag. */
  page(repositoryId: number, after: string, limit: number): Promise<CacheCheck[]>;
  /** How many there are in each repository that has any, and when the last was; in the order of repository ids. */
  counts(): Promise<{ readonly repositoryId: number; readonly tags: number; readonly checkedAt: Date }[]>;
}

export interface CacheCheckRecords extends CacheCheckReads {
  /** Adds or replaces by repository and tag. */
  put(check: CacheCheck): Promise<void>;
}
