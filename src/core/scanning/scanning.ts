import type { Call } from '../access/caller.ts';
import type { TaggedImage } from '../images/image-records.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { ImageIdentifier } from '../values/image-reference.ts';
import type { Finding } from './finding.ts';
import type { ImageFacts } from './image-facts.ts';
import type { ImageScan, RegistryScanning, ScanStatus } from './scan-records.ts';
import type { RepositoryFrequency } from './scanning-rules.ts';

/** Which images are scanned when, and what came of it. */
export interface Scanning {
  /** Refuses with repository-not-found. */
  putScanOnPush(call: Call, input: { repositoryName: string; scanOnPush: boolean }): Promise<Repository>;
  registry(call: Call): Promise<RegistryScanning>;
  /** Replaces what there was; results of the other type are hidden until it is back. Refuses with invalid-parameter. */
  putRegistry(call: Call, scanning: RegistryScanning): Promise<void>;
  /** Of the repositories that there are, in the order asked. */
  repositories(
    call: Call,
    repositoryNames: readonly string[],
  ): Promise<readonly (RepositoryFrequency & { readonly repository: Repository })[]>;
  /**
   * Has an image scanned now. Refuses with repository-not-found, image-not-found, image-archived, unsupported-image-type,
   * limit-exceeded, and with scanning-disabled where scanning is ENHANCED.
   */
  start(call: Call, input: { repositoryName: string; imageId: ImageIdentifier }): Promise<{ readonly digest: string }>;
  /** Refuses with repository-not-found, image-not-found, scan-not-found. */
  findings(call: Call, input: FindingsInput): Promise<ScannedImage>;
  /** What a list of images says of their scans, by the images' ids: only with ENHANCED it does. */
  summaries(call: Call, images: readonly TaggedImage[]): Promise<ReadonlyMap<number, ImageScan>>;
}

export interface FindingsInput {
  readonly repositoryName: string;
  readonly imageId: ImageIdentifier;
  /** A position that was given as `next`. */
  readonly after?: readonly string[];
  readonly limit: number;
}

export interface ScannedImage {
  readonly repository: Repository;
  readonly image: TaggedImage;
  readonly scan: Omit<ImageScan, 'status'>;
  readonly status: ScanStatus | 'IMAGE_ARCHIVED';
  readonly description: string;
  /** `DEBIAN_12`, where that is known. */
  readonly platform?: string;
  /** Of findings of the type ENHANCED. */
  readonly facts?: ImageFacts;
  /** Of the last scan that completed; none of an archived image. */
  readonly findings: readonly Finding[];
  readonly next?: readonly string[];
}
