import type { Digest } from '../values/digest.ts';
import type { Registry } from '../values/registry.ts';

/** A principal whose pulls are not recorded. */
export interface PullTimeExclusion {
  readonly principalArn: string;
  readonly createdAt: Date;
}

export interface Pull {
  readonly repositoryId: number;
  readonly digest: Digest;
  readonly at: Date;
}

export interface PullTimeReads {
  /** Exclusions of a registry in bytewise order of their ARNs, after an ARN (empty: from the start). */
  exclusions(registry: Registry, after: string, limit: number): Promise<PullTimeExclusion[]>;
  countExclusions(registry: Registry): Promise<number>;
}

export interface PullTimeRecords extends PullTimeReads {
  /**
   * Sets when the image, and every index of the repository that lists it, was last pulled, unless a time after
   * `unlessAfter` is recorded already. An image that is gone is passed over.
   */
  record(pull: Pull, unlessAfter: Date): Promise<void>;
  /** @returns false when the registry has an exclusion of that principal */
  insertExclusion(registry: Registry, exclusion: PullTimeExclusion): Promise<boolean>;
  /** @returns whether there was one */
  deleteExclusion(registry: Registry, principalArn: string): Promise<boolean>;
}
