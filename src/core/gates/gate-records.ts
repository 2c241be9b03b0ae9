import type { ScanStatus, ScanType, SeverityCounts } from '../scanning/scan-records.ts';
import type { Severity } from '../scanning/severity/severity.ts';
import type { Digest } from '../values/digest.ts';
import type { Registry } from '../values/registry.ts';

/** What an image must be for it to be pulled from a repository. */
export interface Gate {
  readonly repositoryId: number;
  /** No findings of this severity or above. */
  readonly severity?: Severity;
  /** Scanned, at least once. */
  readonly requiresScan: boolean;
  /** ARN of the signer profile that must have signed it. */
  readonly signedBy?: string;
  /** For how long an image may be pulled all the same. */
  readonly graceSeconds: number;
  /** Nothing is refused; what would be is recorded. */
  readonly isDryRun: boolean;
  /** Who set it. */
  readonly author: string;
  readonly updatedAt: Date;
}

/** What a gate lets pass until a time: a finding, an image, or a finding in an image; one of them is named at least. */
export interface GateException {
  readonly repositoryId: number;
  /** Name of the finding. */
  readonly cve?: string;
  readonly digest?: Digest;
  readonly until: Date;
  readonly reason: string;
  readonly author: string;
  readonly createdAt: Date;
}

/** What names an exception within its repository. */
export type ExceptionKey = Pick<GateException, 'cve' | 'digest'>;

export interface GatedRepository {
  readonly registry: Registry;
  readonly repositoryName: string;
  readonly gate: Gate;
  /** Those that have ended too. */
  readonly exceptions: readonly GateException[];
}

/** What a gate asks about an image, besides its manifest. */
export interface GatedImage {
  readonly imageId: number;
  readonly pushedAt: Date;
  /** When it was last restored from the archive. */
  readonly activatedAt?: Date;
  readonly scan?: {
    readonly status: ScanStatus;
    readonly description?: string;
    readonly result?: { readonly completedAt: Date; readonly severityCounts: SeverityCounts };
  };
}

export interface GateReads {
  /** All there are, in the order of registries and names. */
  all(): Promise<GatedRepository[]>;
  find(repositoryId: number): Promise<Gate | undefined>;
  /** In the order of their ends. */
  exceptions(repositoryId: number): Promise<GateException[]>;
  /** With its scan of the type. */
  image(repositoryId: number, digest: Digest, scanType: ScanType): Promise<GatedImage | undefined>;
}

export interface GateRecords extends GateReads {
  /** Adds or replaces; exceptions stay. */
  put(gate: Gate): Promise<void>;
  /** Takes its exceptions along. @returns whether there was one */
  delete(repositoryId: number): Promise<boolean>;
  /** Adds, or replaces that for the same finding and image. */
  putException(exception: GateException): Promise<void>;
  /** @returns whether there was one */
  deleteException(repositoryId: number, key: ExceptionKey): Promise<boolean>;
}
