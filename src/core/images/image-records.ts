import type { RepositoryName } from '../repositories/repository-records.ts';
import type { Digest } from '../values/digest.ts';

/** What is known of an image besides its manifest's bytes. */
export interface Image {
  readonly id: number;
  readonly repositoryId: number;
  readonly digest: Digest;
  readonly mediaType: string;
  /** The manifest's artifactType, else its config's media type; undefined for an index without one. */
  readonly artifactType?: string;
  readonly subjectDigest?: Digest;
  /** Size of the manifest. */
  readonly manifestBytes: number;
  /** Config and layers together; for an index its largest child. */
  readonly imageBytes: number;
  /** The manifest's annotations, which may be as large as it is; the referrers list shows them. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly pushedAt: Date;
  readonly status: ImageStatus;
  /** When it was last archived. */
  readonly archivedAt?: Date;
  /** When it was last restored from the archive; from then on its age counts. */
  readonly activatedAt?: Date;
  /** When it was last pulled, as far as that is recorded. */
  readonly pulledAt?: Date;
}

/** Only an active image can be pulled; one that activates was archived, and its bytes are on their way back. */
export type ImageStatus = 'ACTIVE' | 'ARCHIVED' | 'ACTIVATING';

export type ImageStatusFilter = ImageStatus | 'ANY';

/** An image begins active. */
export type NewImage = Omit<Image, 'id' | 'status' | 'archivedAt' | 'activatedAt' | 'pulledAt'>;

/** The manifest, byte for byte. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly status: ImageStatus;
  readonly bytes: Uint8Array;
}

/** Without annotations: an image has up to 1,000 tags, and a list as many images. */
export interface TaggedImage extends Omit<Image, 'annotations'> {
  /** In lexical order. */
  readonly tags: readonly string[];
}

export type TagStatus = 'TAGGED' | 'UNTAGGED' | 'ANY';

export interface ImageFilter {
  readonly tagStatus: TagStatus;
  readonly imageStatus: ImageStatusFilter;
}

/** Where a list of (digest, tag) pairs goes on. */
export interface ImagePosition {
  readonly digest: string;
  /** Empty for an untagged image. */
  readonly tag: string;
}

export interface ImageReads {
  find(repositoryId: number, digest: Digest): Promise<Image | undefined>;
  findByTag(repositoryId: number, tag: string): Promise<Image | undefined>;
  /** Those of the given digests the repository has, with all their tags. */
  findMany(repositoryId: number, digests: readonly Digest[]): Promise<TaggedImage[]>;
  /** Which image each of the given tags is on; tags that do not exist are left out. */
  findTags(repositoryId: number, tags: readonly string[]): Promise<{ readonly tag: string; readonly digest: Digest }[]>;
  manifest(repositoryId: number, digest: Digest): Promise<StoredManifest | undefined>;
  /** As `manifest`, of a repository whose record is being read at the same time; undefined when there is none, too. */
  manifestIn(
    repository: RepositoryName,
    reference: { readonly tag: string } | { readonly digest: Digest },
  ): Promise<StoredManifest | undefined>;
  /** One entry for each (digest, tag) pair, untagged images once with an empty tag, in that order, after a position. */
  pairs(
    repositoryId: number,
    filter: ImageFilter,
    after: ImagePosition | undefined,
    limit: number,
  ): Promise<ImagePosition[]>;
  /** Images in the order of their digests, after a digest. */
  page(repositoryId: number, filter: ImageFilter, after: string, limit: number): Promise<TaggedImage[]>;
  /** Tags of active images in bytewise order, after a tag. */
  tags(repositoryId: number, after: string, limit: number): Promise<string[]>;
  /** Images whose subject is the digest, in the order of their digests, after a digest. */
  referrers(
    repositoryId: number,
    subject: Digest,
    filter: { readonly artifactTypes?: readonly string[]; readonly imageStatus: ImageStatusFilter },
    after: string,
    limit: number,
  ): Promise<Image[]>;
  hasReferrers(repositoryId: number, subject: Digest): Promise<boolean>;
  /** Digests of the indexes of the repository that list the image, in order. */
  indexesOf(repositoryId: number, digest: Digest): Promise<Digest[]>;
  /** What an index lists, in the order of digests; nothing for any other image. */
  childrenOf(imageId: number): Promise<Image[]>;
  /** Whether the repository has any image. */
  hasAny(repositoryId: number): Promise<boolean>;
  countTags(imageId: number): Promise<number>;
  /** In lexical order. */
  tagsOf(imageId: number): Promise<string[]>;
  /** Every image with its manifest, if it has one as it must, in the order of image ids, after an id. */
  manifests(
    afterImageId: number,
    limit: number,
  ): Promise<{ imageId: number; repositoryId: number; digest: Digest; bytes: Uint8Array | undefined }[]>;
  /** Layers that images use and their repositories lack, which must never be. */
  missingLayers(limit: number): Promise<{ repositoryId: number; imageDigest: Digest; layerDigest: Digest }[]>;
}

export interface ImageRecords extends ImageReads {
  /**
   * @param layers digests of config and layers with the media type the manifest gives each; one entry a digest
   * @param children digests of an index's children; one entry a digest
   * @returns undefined when the repository has the image
   */
  insert(
    image: NewImage,
    manifest: Uint8Array,
    layers: readonly { readonly digest: Digest; readonly mediaType: string }[],
    children: readonly Digest[],
  ): Promise<Image | undefined>;
  /** Sets the status, and the times that come with it. */
  setStatus(
    imageId: number,
    change: Pick<Image, 'status'> & Partial<Pick<Image, 'archivedAt' | 'activatedAt'>>,
  ): Promise<void>;
  /** Puts a tag on an image, taking it off any other image of the repository. */
  tag(repositoryId: number, tag: string, imageId: number, now: Date): Promise<void>;
  /** @returns whether there was such a tag */
  untag(repositoryId: number, tag: string): Promise<boolean>;
  /**
   * Deletes an image with its tags. Its layers have a lease until `leaseUntil` at least, those that other images use too.
   */
  delete(image: Image, leaseUntil: Date): Promise<void>;
}
