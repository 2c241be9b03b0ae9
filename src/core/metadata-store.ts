import type { AccessReads, AccessRecords } from './access/identity-records.ts';
import type { SigningKeyReads, SigningKeyRecords } from './access/signing-key-records.ts';
import type { CacheCheckReads, CacheCheckRecords } from './caching/cache-check-records.ts';
import type { CacheRuleReads, CacheRuleRecords } from './caching/cache-rule-records.ts';
import type { KmsKeyReads, KmsKeyRecords } from './encryption/kms-key-records.ts';
import type { EventReads, EventRecords } from './events/event-records.ts';
import type { GateReads, GateRecords } from './gates/gate-records.ts';
import type { HistoryReads, HistoryRecords } from './history/history-records.ts';
import type { ImageReads, ImageRecords } from './images/image-records.ts';
import type { JobReads, JobRecords } from './jobs/job-records.ts';
import type { BlobReads, BlobRecords, LayerReads, LayerRecords } from './layers/layer-records.ts';
import type { UploadReads, UploadRecords } from './layers/upload-records.ts';
import type { LifecycleReads, LifecycleRecords } from './lifecycle/lifecycle-records.ts';
import type { MoveReads, MoveRecords } from './moving/move-records.ts';
import type { PullTimeReads, PullTimeRecords } from './pull-times/pull-time-records.ts';
import type { UsageReads } from './quotas/usage-records.ts';
import type { BackfillReads, BackfillRecords } from './replication/backfill-records.ts';
import type { PeerReads, PeerRecords } from './replication/peer-records.ts';
import type { ReplicationReads, ReplicationRecords } from './replication/replication-records.ts';
import type { CreationTemplateReads, CreationTemplateRecords } from './repositories/creation-template-records.ts';
import type { RepositoryReads, RepositoryRecords } from './repositories/repository-records.ts';
import type { ScanReads, ScanRecords } from './scanning/scan-records.ts';
import type { SecretReads, SecretRecords } from './secrets/secret-records.ts';
import type { AccountSettingReads, AccountSettingRecords } from './settings/account-setting-records.ts';
import type { SignerProfileReads, SignerProfileRecords } from './signing/signer-profile-records.ts';
import type { SigningReads, SigningRecords } from './signing/signing-records.ts';

/** Facts. What the records mean is core's; how they are kept is the driver's. */
export interface MetadataStore extends AsyncDisposable {
  /** Whether other servers may write to it at the same time: what a server knows by itself is not all there is then. */
  readonly isShared: boolean;

  /** Reads of what is committed. A read never waits behind an open transaction. */
  readonly read: Reads;

  /**
   * Runs work that is atomic and isolated, and durable when this resolves. Work must do nothing but records: no other
   * input or output, since other writers wait for it, and it may be run again when the database undid it. When work throws,
   * nothing of it remains and the error comes out unchanged.
   *
   * @param about who may not write beside it; a store with one writer at a time keeps everybody out of every work
   */
  transaction<T>(about: WorkScope, work: (records: Records) => Promise<T>): Promise<T>;

  /** Brings the store to the present form, oldest step first; a store from a newer Gantry is refused. */
  migrate(): Promise<void>;

  /** Resolves when the store answers; rejects with the reason when it does not. */
  ready(): Promise<void>;
}

/**
 * What a work is about, and so what stays as it is between its reading and its writing, whatever other nodes do:
 *
 * - `repository`: what belongs to one repository. The work begins by finding that repository in its records, by name or by
 *   id, which takes it until the work ends; when there is none, nothing else may follow. A work that begins otherwise
 *   rejects. What repositories share, blobs, it may find and insert, but must not conclude from that it found none.
 * - `own-rows`: nothing but rows of which each is right by itself: uploads, jobs, schedules, leases, times of pulls. The
 *   work decides by no row that it does not change or has not taken by finding it.
 * - `registry`: how registries are set up: their repositories' names, access, rules, settings, targets, backfills. One such
 *   work at a time, while those about repositories and rows go on.
 * - `alone`: anything else. Nobody writes meanwhile, on any node, so it must be rare and short.
 */
export type WorkScope = 'repository' | 'own-rows' | 'registry' | 'alone';

/**
 * What the store is kept in could not be reached, or went away in the middle; asked again later it may answer. What a
 * transaction was about to commit meanwhile is there or not.
 */
export class StoreUnavailableError extends Error {
  constructor(message: string, cause: unknown) {
    super(`${message}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'StoreUnavailableError';
  }
}

/** When to ask again: it has been waited for already, and comes back as a whole. */
export const STORE_RETRY_SECONDS = 5;

export interface Reads {
  readonly repositories: RepositoryReads;
  readonly blobs: BlobReads;
  readonly layers: LayerReads;
  readonly uploads: UploadReads;
  readonly images: ImageReads;
  readonly signingKeys: SigningKeyReads;
  readonly access: AccessReads;
  readonly creationTemplates: CreationTemplateReads;
  readonly cacheRules: CacheRuleReads;
  readonly cacheChecks: CacheCheckReads;
  readonly secrets: SecretReads;
  readonly kmsKeys: KmsKeyReads;
  readonly history: HistoryReads;
  readonly events: EventReads;
  readonly jobs: JobReads;
  readonly lifecycle: LifecycleReads;
  readonly pullTimes: PullTimeReads;
  readonly accountSettings: AccountSettingReads;
  readonly usage: UsageReads;
  readonly replication: ReplicationReads;
  readonly peers: PeerReads;
  readonly backfills: BackfillReads;
  readonly moves: MoveReads;
  readonly scanning: ScanReads;
  readonly gates: GateReads;
  readonly signerProfiles: SignerProfileReads;
  readonly signing: SigningReads;
}

export interface Records {
  readonly repositories: RepositoryRecords;
  readonly blobs: BlobRecords;
  readonly layers: LayerRecords;
  readonly uploads: UploadRecords;
  readonly images: ImageRecords;
  readonly signingKeys: SigningKeyRecords;
  readonly access: AccessRecords;
  readonly creationTemplates: CreationTemplateRecords;
  readonly cacheRules: CacheRuleRecords;
  readonly cacheChecks: CacheCheckRecords;
  readonly secrets: SecretRecords;
  readonly kmsKeys: KmsKeyRecords;
  readonly history: HistoryRecords;
  readonly events: EventRecords;
  readonly jobs: JobRecords;
  readonly lifecycle: LifecycleRecords;
  readonly pullTimes: PullTimeRecords;
  readonly accountSettings: AccountSettingRecords;
  readonly usage: UsageReads;
  readonly replication: ReplicationRecords;
  readonly peers: PeerRecords;
  readonly backfills: BackfillRecords;
  readonly moves: MoveRecords;
  readonly scanning: ScanRecords;
  readonly gates: GateRecords;
  readonly signerProfiles: SignerProfileRecords;
  readonly signing: SigningRecords;
}
