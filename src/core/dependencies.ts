import type { BlobStore } from './blob-store.ts';
import type { BlobEncryption } from './encryption/blob-encryption.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { QuotaGuard } from './quotas/quota-guard.ts';

/** What core is given to work with. Time and randomness come in here, so that tests hold them still. */
export interface CoreDependencies {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly encryption: BlobEncryption;
  readonly now: () => Date;
  /** A new UUID. */
  readonly newId: () => string;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly settings: CoreSettings;
  readonly quotas: QuotaGuard;
}

export interface CoreSettings {
  /** Whether a docker push makes the repository it needs. */
  readonly createOnPush: boolean;
  /** How long a layer that no image uses stays after a client was told that it is there. */
  readonly layerLeaseSeconds: number;
  /** After how long without a byte an upload is forgotten. */
  readonly uploadIdleSeconds: number;
  /** How long an upload is held for a server that writes to it, where there are several, and is not heard of again. */
  readonly uploadHoldSeconds: number;
  /** How long a deleted image can be brought back, and for how long the changes of a tag are told; 0: not at all. */
  readonly undoSeconds: number;
  /** How long an event is kept once it is delivered. */
  readonly eventSeconds: number;
  /** The partition of the ARNs of identities, for example `aws`. */
  readonly partition: string;
  /** Whether layers may be mounted from other repositories of a registry whose account setting does not say. */
  readonly mountsByDefault: boolean;
  /** Whether lifecycle policies may say what ECR's cannot (docs/decisions/0010-lifecycle-extensions.md). */
  readonly lifecycleExtensions: boolean;
  /** Whether an image is scanned on request once a day at most. */
  readonly limitsScans: boolean;
  /** How old bytes that no fact points at must be before they are taken for the remains of a crash. */
  readonly orphanSeconds: number;
}

export const DEFAULT_CORE_SETTINGS: CoreSettings = {
  createOnPush: false,
  layerLeaseSeconds: 24 * 3600,
  uploadIdleSeconds: 24 * 3600,
  uploadHoldSeconds: 20,
  undoSeconds: 14 * 24 * 3600,
  eventSeconds: 24 * 3600,
  partition: 'aws',
  mountsByDefault: true,
  lifecycleExtensions: false,
  limitsScans: true,
  orphanSeconds: 3600,
};

export function secondsAfter(time: Date, seconds: number): Date {
  return new Date(time.getTime() + seconds * 1000);
}
