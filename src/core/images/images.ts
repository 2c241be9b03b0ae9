import type { Call } from '../access/caller.ts';
import type { ChangeCause } from '../history/history-records.ts';
import type { Records } from '../metadata-store.ts';
import type { Digest } from '../values/digest.ts';
import type { ImageIdentifier } from '../values/image-reference.ts';
import type { Registry } from '../values/registry.ts';
import type {
  Image,
  ImagePosition,
  ImageStatus,
  ImageStatusFilter,
  StoredManifest,
  TaggedImage,
  TagStatus,
} from './image-records.ts';

/** Images of a repository. Every method refuses with repository-not-found. */
export interface Images {
  /**
   * PutImage and PUT manifest. Refuses with manifest-invalid, image-digest-mismatch, layers-not-found,
   * referenced-images-not-found, image-tag-already-exists, limit-exceeded; and, unless `idempotent`, image-already-exists.
   */
  put(call: Call, input: PutImageInput): Promise<PutImageResult>;

  /** The manifest of one image by tag or by digest. Refuses with image-not-found and image-archived. The pull path. */
  getManifest(
    call: Call,
    input: {
      repositoryName: string;
      reference: ImageReference;
      /** It does not count as a pull. */
      isLook?: boolean;
    },
  ): Promise<ServedManifest>;

  /** BatchGetImage: one entry for each id asked, or a failure for it. */
  getMany(
    call: Call,
    input: {
      repositoryName: string;
      imageIds: readonly ImageIdentifier[];
      acceptedMediaTypes?: readonly string[];
      /** It does not count as a pull. */
      isLook?: boolean;
    },
  ): Promise<{ images: FoundImage[]; failures: ImageFailure[] }>;

  /** BatchDeleteImage: a tag that was an image's last takes the image along; a digest takes all its tags. */
  deleteMany(
    call: Call,
    input: { repositoryName: string; imageIds: readonly ImageIdentifier[] },
  ): Promise<{ imageIds: ImageIdentifier[]; failures: ImageFailure[] }>;

  /**
   * DELETE manifest (OCI distribution specification, end-9): a tag takes the tag alone, a digest the image with its tags.
   * Refuses with image-not-found and image-referenced-by-index.
   */
  delete(call: Call, input: { repositoryName: string; reference: ImageReference }): Promise<void>;

  /**
   * UpdateImageStorageClass. An image that is restored is `ACTIVATING` until its bytes are back.
   * Refuses with image-not-found and image-storage-class-update-not-supported.
   */
  updateStorageClass(call: Call, input: StorageClassChange): Promise<{ imageId: ImageIdentifier; status: ImageStatus }>;

  /** ListImages: (digest, tag) pairs; `tag` is empty for an untagged image. `next` is where the list goes on. */
  list(
    call: Call,
    input: {
      repositoryName: string;
      tagStatus: TagStatus;
      imageStatus: ImageStatusFilter;
      after?: ImagePosition;
      limit: number;
    },
  ): Promise<{ images: ImagePosition[]; next?: ImagePosition }>;

  /** DescribeImages without ids: in the order of digests, after a digest (empty: from the start). */
  describe(
    call: Call,
    input: {
      repositoryName: string;
      tagStatus: TagStatus;
      imageStatus: ImageStatusFilter;
      after: string;
      limit: number;
    },
  ): Promise<{ images: TaggedImage[]; next?: string }>;

  /** DescribeImages with ids: one entry for each image reached. An unknown id refuses the whole with image-not-found. */
  describeMany(
    call: Call,
    input: { repositoryName: string; imageIds: readonly ImageIdentifier[] },
  ): Promise<TaggedImage[]>;

  /** Tags in lexical order, after a tag (empty: from the start). */
  tags(
    call: Call,
    input: { repositoryName: string; after: string; limit: number },
  ): Promise<{ tags: string[]; next?: string }>;

  /**
   * Images that name the digest as their subject, which itself need not exist. In the order of digests; fewer than `limit`, with a `next`,
   * where their manifests are large together.
   */
  referrers(
    call: Call,
    input: {
      repositoryName: string;
      subject: Digest;
      artifactTypes?: readonly string[];
      imageStatus: ImageStatusFilter;
      after: string;
      limit: number;
    },
  ): Promise<{ referrers: Image[]; next?: string }>;
}

/** `isStale`: what a pull-through cache has, since the upstream could not be asked whether it has something newer. */
export interface ServedManifest extends StoredManifest {
  readonly isStale?: boolean;
}

export interface StorageClassChange {
  readonly repositoryName: string;
  readonly imageId: ImageIdentifier;
  readonly storageClass: 'STANDARD' | 'ARCHIVE';
}

export type ImageReference = { readonly tag: string } | { readonly digest: string };

export interface PutImageInput {
  readonly repositoryName: string;
  readonly manifest: Uint8Array;
  /** As the client declared it; else the manifest's own `mediaType` counts. */
  readonly mediaType?: string;
  readonly tag?: string;
  /** What the client computed; sha256 or sha512 (then the image is known by it). */
  readonly digest?: string;
  /** Pushing what is there already, under a tag it already has, succeeds and changes nothing (docker's path). */
  readonly idempotent?: boolean;
  readonly createOnPush?: boolean;
  /** Why; a push unless given. */
  readonly cause?: ChangeCause;
  /** With the cause `replication`: the registry it comes from. */
  readonly replicatedFrom?: Registry;
  /** Asked within the transaction, before it changes anything: what this rejects with, the push does. */
  readonly recheck?: (records: Records) => Promise<void>;
}

export interface PutImageResult {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly subjectDigest?: Digest;
}

export interface FoundImage {
  /** The digest found, and the tag if it was asked by one. */
  readonly imageId: ImageIdentifier;
  readonly manifest: StoredManifest;
}

export interface ImageFailure {
  readonly imageId: ImageIdentifier;
  /** ECR's ImageFailureCode. */
  readonly code:
    | 'InvalidImageDigest'
    | 'InvalidImageTag'
    | 'ImageTagDoesNotMatchDigest'
    | 'ImageNotFound'
    | 'MissingDigestAndTag'
    | 'ImageInaccessible'
    | 'KmsError'
    | 'UpstreamAccessDenied'
    | 'UpstreamTooManyRequests'
    | 'UpstreamUnavailable'
    | 'ImageReferencedByManifestList';
  readonly reason: string;
}
