import type { RegistryScanning, ScanType } from '../scanning/scan-records.ts';
import type { Digest } from '../values/digest.ts';
import type { Registry } from '../values/registry.ts';

/** Every kind of work that is done after the answer, with what a job of it is told. What it works on may be gone by then. */
export interface JobPayloads {
  /** Referrers go the way of their subject (ECR user guide, "Deleting an image"). */
  readonly 'follow-subject': {
    readonly repositoryId: number;
    readonly subjectDigest: Digest;
    readonly change: 'deleted' | 'archived';
  };
  /** Applies the lifecycle policy of one repository. */
  readonly 'apply-lifecycle': { readonly repositoryId: number };
  readonly 'preview-lifecycle': { readonly repositoryId: number; readonly previewId: string };
  /** Takes the bytes of an archived image to where those of archived images lie. */
  readonly 'archive-bytes': { readonly repositoryId: number; readonly digest: Digest };
  /** Brings the bytes of an activating image back, then makes it active. */
  readonly 'restore-image': { readonly repositoryId: number; readonly digest: Digest };
  /** Copies an image to another registry, with the tag that it was pushed under. */
  readonly 'replicate-image': {
    readonly repositoryId: number;
    readonly digest: Digest;
    readonly tag?: string;
    readonly destination: Registry;
  };
  readonly 'run-backfill': { readonly backfillId: string };
  /** Brings an image from upstream into the repository that caches it, with all that it lists, and puts the tag on it. */
  readonly 'import-image': {
    readonly repositoryId: number;
    readonly digest: Digest;
    readonly tag?: string;
    /** When the upstream said that the tag is on the image, in milliseconds. */
    readonly seenAt: number;
  };
  /** Compares a cached tag with its upstream, however late that was done last. */
  readonly 'refresh-cached-tag': { readonly repositoryId: number; readonly tag: string };
  /** Reads the layers of an image that were never read, and says what is known of what it holds. */
  readonly 'scan-image': { readonly repositoryId: number; readonly digest: Digest; readonly scanType: ScanType };
  /** Signs an image by a signer profile. */
  readonly 'sign-image': { readonly repositoryId: number; readonly digest: Digest; readonly profileArn: string };
  /** Matches images that are scanned continuously against what is known now. */
  readonly 'match-images': Readonly<Record<string, never>>;
  /** What follows from a change of how a registry is scanned. */
  readonly 'follow-scanning': { readonly registry: Registry; readonly before: RegistryScanning };
  readonly 'deliver-event': { readonly eventId: number; readonly target: string };
  readonly 'collect-garbage': Readonly<Record<string, never>>;
  /** Enqueues one `apply-lifecycle` for each repository with a policy. */
  readonly 'start-lifecycle': Readonly<Record<string, never>>;
}

export type JobKind = keyof JobPayloads;

export type Job<K extends JobKind = JobKind> = {
  [Kind in K]: {
    readonly id: number;
    readonly kind: Kind;
    readonly payload: JobPayloads[Kind];
    /** How often it was begun, this time included. */
    readonly attempts: number;
    readonly createdAt: Date;
    readonly dueAt: Date;
    readonly lastError?: string;
    /** When it was given up. */
    readonly deadAt?: Date;
  };
}[K];
