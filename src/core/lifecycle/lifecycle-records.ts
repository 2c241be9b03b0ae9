import type { Image } from '../images/image-records.ts';
import type { Digest } from '../values/digest.ts';
import type { LifecycleAction, LifecycleStorageClass } from './lifecycle-policy.ts';

/** The lifecycle policy of a repository. */
export interface StoredLifecyclePolicy {
  readonly document: string;
  /** When this document was last applied; absent until it was. */
  readonly evaluatedAt?: Date;
}

/** A preview; what it found is read apart. */
export interface LifecyclePreview {
  /** Tells one preview of a repository from the next. */
  readonly id: string;
  readonly document: string;
  readonly status: 'IN_PROGRESS' | 'COMPLETE' | 'FAILED';
  readonly startedAt: Date;
  /** How many images would expire. */
  readonly expiring: number;
  /** How many images would be archived. */
  readonly transitioning: number;
}

/** What a policy would do to an image. */
export interface LifecyclePreviewImage {
  /** Counted from 1 in the order in which the policy would act. */
  readonly position: number;
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly pushedAt: Date;
  readonly action: LifecycleAction;
  readonly rulePriority: number;
  /** Where the image is now. */
  readonly storageClass: LifecycleStorageClass;
}

/** As much of an image as decisions about it rest on: repositories have up to 100,000 of them. */
export interface ImageFacts
  extends Pick<Image, 'digest' | 'manifestBytes' | 'status' | 'pushedAt' | 'archivedAt' | 'activatedAt' | 'pulledAt'> {
  /** In lexical order. */
  readonly tags: readonly string[];
}

export interface LifecycleReads {
  policy(repositoryId: number): Promise<StoredLifecyclePolicy | undefined>;
  /** Ids of repositories with a policy, in order, after an id. */
  repositoryIds(afterId: number, limit: number): Promise<number[]>;
  /**
   * In the order of their digests, after a digest (empty: from the start). Fewer than `limit` where they have many tags
   * together; none only when there are no more.
   */
  images(repositoryId: number, after: string, limit: number): Promise<ImageFacts[]>;
  /** Which indexes list the images with digests after one and up to another, in the order of the images. */
  indexesBetween(
    repositoryId: number,
    after: string,
    upTo: string,
  ): Promise<{ readonly child: Digest; readonly index: Digest }[]>;
  preview(repositoryId: number): Promise<LifecyclePreview | undefined>;
  /** In the order of their positions, after a position. */
  previewImages(
    repositoryId: number,
    tagStatus: 'TAGGED' | 'UNTAGGED' | 'ANY',
    afterPosition: number,
    limit: number,
  ): Promise<LifecyclePreviewImage[]>;
  /** Those of the given digests, in the order of their positions. */
  previewImagesOf(repositoryId: number, digests: readonly Digest[]): Promise<LifecyclePreviewImage[]>;
}

export interface LifecycleRecords extends LifecycleReads {
  /** Adds or replaces; only the same document keeps the time of its evaluation. */
  putPolicy(repositoryId: number, document: string): Promise<void>;
  /** @returns what was deleted */
  deletePolicy(repositoryId: number): Promise<StoredLifecyclePolicy | undefined>;
  /** Notes when a document was applied, if it still is the repository's. */
  noteEvaluation(repositoryId: number, document: string, at: Date): Promise<void>;
  /** Begins a preview in place of an earlier one, whose images stay until they are deleted. */
  startPreview(repositoryId: number, preview: Pick<LifecyclePreview, 'id' | 'document' | 'startedAt'>): Promise<void>;
  insertPreviewImages(repositoryId: number, images: readonly LifecyclePreviewImage[]): Promise<void>;
  /** @returns how many went */
  deletePreviewImages(repositoryId: number, limit: number): Promise<number>;
  /** Ends a preview that is in progress; without effect on one that has another id. */
  endPreview(
    repositoryId: number,
    id: string,
    end: Pick<LifecyclePreview, 'expiring' | 'transitioning'> & { readonly status: 'COMPLETE' | 'FAILED' },
  ): Promise<void>;
}
