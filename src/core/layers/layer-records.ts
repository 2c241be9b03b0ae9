import type { BlobLocation } from '../blob-store.ts';
import type { Protection } from '../encryption/protection.ts';
import type { RepositoryName } from '../repositories/repository-records.ts';
import type { Digest } from '../values/digest.ts';

/** Bytes that are sealed and synced, shared by all repositories of one encryption scope. */
export interface Blob {
  readonly id: number;
  /** Who may share the bytes: a registry and a key. See `blobScopeOf`. */
  readonly scope: string;
  readonly digest: Digest;
  readonly location: BlobLocation;
  readonly bytes: number;
  /** Absent when its bytes are kept as they came. */
  readonly protection?: Protection;
  readonly createdAt: Date;
}

export interface BlobReads {
  find(scope: string, digest: Digest): Promise<Blob | undefined>;
  /** Whether any blob lives at a location. */
  hasLocation(location: BlobLocation): Promise<boolean>;
  /** Blobs whose id is above `afterId`, in the order of their ids. */
  page(afterId: number, limit: number): Promise<Blob[]>;
  /** Blobs no layer points at, in the order of their ids. */
  unreferenced(limit: number): Promise<Blob[]>;
  /** Blobs of an image's layers whose bytes are archived, or on their way there, in the order of their ids. */
  archivedOf(imageId: number, limit: number): Promise<Blob[]>;
  /** Archived blobs whose id is above `afterId`, in the order of their ids. */
  archived(afterId: number, limit: number): Promise<Blob[]>;
  /** Whether the bytes are archived, or on their way there; false for a blob that is gone. */
  isArchived(id: number): Promise<boolean>;
  /** Whether any blob is encrypted under a master key. Looks at all of them when none is. */
  anyUnderMasterKey(): Promise<boolean>;
  /** The names of the repositories that have a layer of the blob, in no particular order; no deleted ones. */
  repositoriesWith(id: number, limit: number): Promise<string[]>;
}

export interface BlobRecords extends BlobReads {
  /** @returns undefined when the scope has a blob of that digest */
  insert(blob: Omit<Blob, 'id'>): Promise<Blob | undefined>;
  /**
   * Lets a blob whose bytes are at a location have others, which are the same in plain; they are not archived.
   * @returns false when it is gone, or its bytes are elsewhere by now
   */
  replaceBytes(
    id: number,
    from: BlobLocation,
    kept: Pick<Blob, 'location' | 'protection' | 'createdAt'>,
  ): Promise<boolean>;
  /** Deletes the record if still no layer points at it. @returns whether it was deleted */
  deleteUnreferenced(id: number): Promise<boolean>;
  /**
   * Marks the blobs of an image as archived, but none that a layer anywhere needs: one that an image uses which is not
   * archived, that no image uses, or that is offered beyond `now`.
   */
  markArchived(imageId: number, now: Date): Promise<void>;
  /** Marks a blob as archived no longer. */
  unmarkArchived(id: number): Promise<void>;
}

/** A blob's membership in a repository. */
export interface Layer {
  readonly repositoryId: number;
  readonly digest: Digest;
  readonly bytes: number;
  readonly location: BlobLocation;
  /** Of its blob. */
  readonly protection?: Protection;
  readonly blobId: number;
  /** Until then the layer stays although no image uses it. */
  readonly leaseUntil: Date;
  /** The media type an image gives it; undefined while no image of the repository uses it. */
  readonly mediaType?: string;
  /** Whether an image of the repository uses it. */
  readonly referenced: boolean;
  /** Whether images use it, and none of them is active. */
  readonly dormant: boolean;
  /** Until then a dormant layer is given out, since it was pushed again. */
  readonly offeredUntil: Date;
  /** Whether its bytes are archived, or on their way there. */
  readonly archived: boolean;
}

export interface LayerReads {
  find(repositoryId: number, digest: Digest): Promise<Layer | undefined>;
  /** As `find`, in a repository whose record is being read at the same time; undefined when there is none, too. */
  findIn(repository: RepositoryName, digest: Digest): Promise<Layer | undefined>;
  findMany(repositoryId: number, digests: readonly Digest[]): Promise<Layer[]>;
  /** Layers that no image uses and whose lease ended before `now`. */
  expired(now: Date, limit: number): Promise<{ readonly repositoryId: number; readonly digest: Digest }[]>;
}

export interface LayerRecords extends LayerReads {
  /** @returns false when the repository has the layer already (its lease is then prolonged to `leaseUntil` if later, and until then it is offered) */
  insert(layer: { repositoryId: number; digest: Digest; blobId: number; leaseUntil: Date }): Promise<boolean>;
  /** Prolongs the lease of layers that no image uses, where it is shorter. */
  renewLeases(repositoryId: number, digests: readonly Digest[], leaseUntil: Date): Promise<void>;
  /** Offers the layers of an image no longer, whatever was pushed before. */
  withdraw(image: { readonly id: number; readonly repositoryId: number }): Promise<void>;
  /** Deletes the layer unless an image uses it. @returns whether it was deleted */
  deleteUnused(repositoryId: number, digest: Digest): Promise<boolean>;
  /** Deletes the layer if it still is unused and its lease is still over. @returns whether it was deleted */
  deleteExpired(repositoryId: number, digest: Digest, now: Date): Promise<boolean>;
}
