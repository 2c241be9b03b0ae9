import type { Digest } from '../values/digest.ts';
import type { Registry } from '../values/registry.ts';
import type { Severity } from './severity/severity.ts';

/** How the images of a registry are scanned (ECR API, RegistryScanningConfiguration). */
export interface RegistryScanning {
  readonly scanType: ScanType;
  readonly rules: readonly ScanningRule[];
}

/** `BASIC` looks at an image once; `ENHANCED` says anew what is known of it when more is. Each keeps results of its own. */
export type ScanType = 'BASIC' | 'ENHANCED';

export interface ScanningRule {
  readonly frequency: ScanFrequency;
  /** Parts of repository names, or with `*` whole ones. */
  readonly filters: readonly string[];
}

export type ScanFrequency = 'SCAN_ON_PUSH' | 'CONTINUOUS_SCAN' | 'MANUAL';

/** ECR's words (ECR API, ScanStatus), those that are recorded. */
export type ScanStatus =
  | 'IN_PROGRESS'
  | 'COMPLETE'
  | 'FAILED'
  | 'UNSUPPORTED_IMAGE'
  | 'ACTIVE'
  | 'PENDING'
  | 'SCAN_ELIGIBILITY_EXPIRED'
  | 'LIMIT_EXCEEDED';

/** The last scan of an image by one type, and what the last one that completed came to. */
export interface ImageScan {
  readonly imageId: number;
  readonly scanType: ScanType;
  readonly status: ScanStatus;
  /** What more there is to say than the status, in whole sentences. */
  readonly description?: string;
  readonly startedAt: Date;
  readonly result?: ScanResult;
}

export interface ScanResult {
  readonly completedAt: Date;
  /** The newest time of change of what the findings rest on. */
  readonly sourceUpdatedAt: Date;
  /** Names what they rest on: with another, the image may have other findings. */
  readonly source: string;
  readonly severityCounts: SeverityCounts;
}

/** Only of severities that there are. */
export type SeverityCounts = Readonly<Partial<Record<Severity, number>>>;

/** Since when results of scans have had something of a severity, without a break. */
export type SeveritiesSince = Readonly<Partial<Record<Severity, Date>>>;

/** A scan that begins. */
export interface NewScan extends Pick<ImageScan, 'imageId' | 'scanType' | 'status' | 'description' | 'startedAt'> {
  readonly registry: Registry;
}

/** What came of a scan. Without a result that of an earlier one stays. */
export interface EndedScan extends Pick<ImageScan, 'imageId' | 'scanType' | 'status' | 'description'> {
  readonly result?: ScanResult & { readonly findings: Uint8Array };
}

/** What a layer says of packages, as the scanner packs it. */
export interface PackedInventory {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** An image that is matched again when more is known. */
export interface WatchedImage {
  readonly imageId: number;
  readonly repositoryId: number;
  readonly digest: Digest;
  /** What its findings rest on; empty while it has none. */
  readonly source: string;
}

export interface ScanReads {
  /** BASIC without rules unless it was configured. */
  registryScanning(registry: Registry): Promise<RegistryScanning>;
  find(imageId: number, scanType: ScanType): Promise<ImageScan | undefined>;
  /** Those of the images that have one. */
  findMany(imageIds: readonly number[], scanType: ScanType): Promise<ImageScan[]>;
  /** Of the severities that the last result has. */
  severitiesSince(imageId: number, scanType: ScanType): Promise<SeveritiesSince>;
  /** As the scanner packed them; undefined when no scan has completed. */
  findings(imageId: number, scanType: ScanType): Promise<Uint8Array | undefined>;
  /** Active images whose scan by ENHANCED has a status, in the order of their ids, after an id. */
  watched(status: ScanStatus, afterImageId: number, limit: number): Promise<WatchedImage[]>;
  /** How many scans of a type began in a registry after a time. */
  countStarted(registry: Registry, scanType: ScanType, after: Date): Promise<number>;
  /** Of the layers of a repository, those whose inventory is kept in a format. */
  inventories(repositoryId: number, digests: readonly Digest[], format: number): Promise<PackedInventory[]>;
  /** Which of the layers `inventories` would give. */
  inventoried(repositoryId: number, digests: readonly Digest[], format: number): Promise<Digest[]>;
}

export interface ScanRecords extends ScanReads {
  /** Replaces what there was. */
  putRegistryScanning(registry: Registry, scanning: RegistryScanning): Promise<void>;
  /** Notes a scan that begins; the result of the last one stays. Nothing happens when the image is gone. */
  start(scan: NewScan): Promise<void>;
  /** Nothing happens when the image is gone, or its scan was forgotten. */
  end(scan: EndedScan): Promise<void>;
  /** Forgets the scans of an image with their results, of every type. */
  forget(imageId: number): Promise<void>;
  /** Keeps the inventory of a layer as long as its blob, for every image with that blob. Nothing happens when it is gone. */
  putInventory(repositoryId: number, inventory: PackedInventory, format: number): Promise<void>;
}
