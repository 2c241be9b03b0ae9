import type { ScanFrequency, ScanStatus, ScanType, SeverityCounts } from '../scanning/scan-records.ts';
import type { Digest } from '../values/digest.ts';
import type { Registry } from '../values/registry.ts';

/** What happened in a registry, as others are told of it (ECR user guide, "Amazon ECR events and EventBridge"). */
export type RegistryEvent =
  | ImageEvent
  | StorageClassEvent
  | LifecycleEvent
  | ReplicationEvent
  | CacheEvent
  | ScanEvent
  | ScanningEvent;

/** An image was pushed under a tag or without one, or was deleted; `isReferrer` for signatures and their like. */
export interface ImageEvent {
  readonly kind: 'image-pushed' | 'image-deleted';
  readonly repositoryName: string;
  readonly digest: Digest;
  readonly tag?: string;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subjectDigest?: Digest;
}

export interface StorageClassEvent {
  readonly kind: 'image-archived' | 'image-restored';
  readonly repositoryName: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subjectDigest?: Digest;
  /** With `image-restored`. */
  readonly activatedAt?: string;
}

/** A lifecycle policy was applied and did something. */
export interface LifecycleEvent {
  readonly kind: 'lifecycle-applied';
  readonly repositoryName: string;
  readonly expired: number;
  readonly transitioned: number;
  readonly failed: number;
}

/** An image came from another registry, or should have; told where it comes to. */
export interface ReplicationEvent {
  readonly kind: 'image-replicated';
  readonly result: 'SUCCESS' | 'FAILED';
  readonly repositoryName: string;
  readonly digest: Digest;
  readonly tag?: string;
  readonly source: Registry;
}

/** An image came into a repository from its upstream, or a cached tag moved to it. */
export interface CacheEvent {
  readonly kind: 'image-cached';
  readonly repositoryName: string;
  readonly digest: Digest;
  readonly tag?: string;
  /** Of the rule, as it was when the image was asked for. */
  readonly prefix: string;
  readonly upstreamUrl: string;
}

/** A scan of an image ended. */
export interface ScanEvent {
  readonly kind: 'image-scanned';
  readonly repositoryName: string;
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly scanType: ScanType;
  readonly status: ScanStatus;
  readonly severityCounts: SeverityCounts;
}

/** The images of a repository are scanned at other times from now on. */
export interface ScanningEvent {
  readonly kind: 'scanning-changed';
  readonly repositoryName: string;
  readonly scanType: ScanType;
  readonly frequency: ScanFrequency;
  readonly previous: ScanFrequency;
}
