import type { Digest } from '../values/digest.ts';

/** Why a tag or an image changed. */
export type ChangeCause = 'push' | 'delete' | 'lifecycle' | 'subject-gone' | 'restore' | 'replication' | 'cache';

/** What a tag was put on, or that it was taken away. */
export interface TagChange {
  readonly id: number;
  readonly repositoryId: number;
  readonly tag: string;
  /** Absent: the tag was taken away. */
  readonly digest?: Digest;
  /** What it was on until then: changes before this one may be forgotten. Absent: there was no such tag. */
  readonly formerDigest?: Digest;
  readonly cause: ChangeCause;
  /** Of whom; empty when nobody was asked who they are. */
  readonly principal: string;
  readonly at: Date;
}

/** An image that was deleted and can still be brought back: its layers hold leases until `keptUntil`. */
export interface DeletedImage {
  readonly repositoryId: number;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly subjectDigest?: Digest;
  /** Those it had, in lexical order. */
  readonly tags: readonly string[];
  readonly pushedAt: Date;
  readonly cause: ChangeCause;
  readonly principal: string;
  readonly deletedAt: Date;
  readonly keptUntil: Date;
}

export interface HistoryReads {
  /** Changes of one tag, newest first, with smaller ids than `beforeId` (all without it). */
  tagChanges(repositoryId: number, tag: string, beforeId: number | undefined, limit: number): Promise<TagChange[]>;
  /** The newest change of a tag that was made by a time. */
  tagChangeAt(repositoryId: number, tag: string, time: Date): Promise<TagChange | undefined>;
  /** The oldest change of a tag that is remembered. */
  firstTagChange(repositoryId: number, tag: string): Promise<TagChange | undefined>;
  deletedImage(repositoryId: number, digest: Digest): Promise<DeletedImage | undefined>;
  /** The manifest of a deleted image, byte for byte. */
  deletedManifest(repositoryId: number, digest: Digest): Promise<Uint8Array | undefined>;
  /** In the order of digests, after a digest. */
  deletedImages(repositoryId: number, after: string, limit: number): Promise<DeletedImage[]>;
  deletedReferrers(repositoryId: number, subject: Digest): Promise<DeletedImage[]>;
}

export interface HistoryRecords extends HistoryReads {
  /** Notes the same change of each of some tags. */
  noteTags(change: Omit<TagChange, 'id' | 'tag'> & { readonly tags: readonly string[] }): Promise<void>;
  /** Keeps what an image is before it is deleted, in place of an earlier one of its digest. */
  keepImage(
    imageId: number,
    deletion: Pick<DeletedImage, 'tags' | 'cause' | 'principal' | 'deletedAt' | 'keptUntil'>,
  ): Promise<void>;
  forgetImage(repositoryId: number, digest: Digest): Promise<void>;
  /** @returns how many tag changes older than a time were forgotten */
  forgetTagChanges(before: Date, limit: number): Promise<number>;
  /** @returns how many deleted images whose time is over were forgotten */
  forgetImages(now: Date, limit: number): Promise<number>;
}
