import type { Registry } from '../values/registry.ts';

/** What is copied where (ECR API, ReplicationRule). */
export interface ReplicationRule {
  readonly destinations: readonly Registry[];
  /** Beginnings of repository names; every repository when there are none. */
  readonly prefixes: readonly string[];
}

export type ReplicationStatus = 'IN_PROGRESS' | 'COMPLETE' | 'FAILED';

/** How far the copying of an image to a destination has come, as it was pushed under a tag or without one. */
export interface ImageReplication {
  readonly destination: Registry;
  /** Empty: pushed without a tag. */
  readonly tag: string;
  readonly status: ReplicationStatus;
  /** Why the last attempt failed. With `IN_PROGRESS` it is tried again. */
  readonly failureCode?: string;
  readonly updatedAt: Date;
}

export interface ReplicationReads {
  /** The rules of a registry, none unless it was configured. */
  rules(registry: Registry): Promise<readonly ReplicationRule[]>;
  /** In the order of accounts, regions and tags. */
  statusesOf(imageId: number): Promise<ImageReplication[]>;
}

export interface ReplicationRecords extends ReplicationReads {
  /** Replaces what there was. */
  putRules(registry: Registry, rules: readonly ReplicationRule[]): Promise<void>;
  /** Adds or replaces by destination and tag; nothing happens when the image is gone. */
  putStatus(imageId: number, replication: ImageReplication): Promise<void>;
}
