import type { Registry } from '../values/registry.ts';

/** What one repository holds. Bytes are those of configs and layers. */
export interface RepositoryUsage {
  readonly images: number;
  /** Of the images: those that are archived or on their way back. */
  readonly archivedImages: number;
  readonly tags: number;
  /** Of the image that has most. */
  readonly tagsOfImageMax: number;
  /** What its images would take if each had its layers to itself; an index adds nothing of its own. */
  readonly logicalBytes: number;
  /** Of the logical bytes: those of archived images. */
  readonly archivedLogicalBytes: number;
  /** Its layers, each once. */
  readonly storedBytes: number;
  /** Of the stored bytes: those that lie with the bytes of archived images. */
  readonly archivedStoredBytes: number;
  readonly layerBytesMax: number;
  /** Of the upload under way that has most. */
  readonly layerPartsMax: number;
}

/** Blobs that repositories of a registry point at, each once. */
export interface StoredUsage {
  readonly blobs: number;
  readonly storedBytes: number;
  readonly archivedStoredBytes: number;
}

/** Counts that cost what they count: for reports, and for quotas where a push is near one. */
export interface UsageReads {
  countRepositories(registry: Registry): Promise<number>;
  countImages(repositoryId: number): Promise<number>;
  ofRepository(repositoryId: number): Promise<RepositoryUsage>;
  stored(registry: Registry): Promise<StoredUsage>;
  /** Registries that have repositories, in order. */
  registries(): Promise<Registry[]>;
}
