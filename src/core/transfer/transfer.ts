import type { BlobSource, Cancellation } from '../upstreams/upstream.ts';
import type { Digest } from '../values/digest.ts';
import type { Descriptor } from '../values/manifest.ts';

/** A repository that images are copied from: one of this server, of another registry, or on a disk. */
export interface ImageSource {
  /**
   * @param reference a tag or a digest
   * @returns undefined when there is none
   */
  manifest(reference: string, options?: Cancellation): Promise<TransferManifest | undefined>;
  /**
   * A blob as a manifest names it. Whether it is there may only show when it is read.
   * @returns undefined when it is known not to be there
   */
  blob(descriptor: Descriptor, options?: Cancellation): Promise<TransferBlob | undefined>;
  /** Whether a blob is there that need not be: one that lives at foreign URLs. */
  hasBlob(digest: Digest, options?: Cancellation): Promise<boolean>;
  /** Digests of what names the digest as its subject. */
  referrers(digest: Digest, options?: Cancellation): AsyncIterable<Digest>;
}

/** A repository that images are copied to. */
export interface ImageTarget {
  /**
   * Whether a reference is on that digest, so that everything the manifest names is there too and can be pulled.
   * @param reference a tag, or the digest itself
   */
  has(reference: string, digest: Digest, options?: Cancellation): Promise<boolean>;
  /** Sees to it that the repository has the blob; its bytes are read only when there is no other way. */
  putBlob(blob: TransferBlob, options?: Cancellation): Promise<BlobOutcome>;
  /**
   * Stores a manifest byte for byte, under a tag or without one. Everything it names is there.
   * @returns whether it has the tag now: not where another image holds it for good
   */
  putManifest(
    manifest: TransferManifest,
    tag: string | undefined,
    options?: Cancellation,
  ): Promise<{ isTagged: boolean }>;
  /** Forgets what it believes to be there. @returns whether it believed anything without having asked */
  doubt(): boolean;
}

/** `present`: it was there. `shared`: it was taken from another repository of the target. `stored`: its bytes were sent. */
export type BlobOutcome = 'present' | 'shared' | 'stored';

export interface TransferManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly content: Uint8Array;
}

export interface TransferBlob extends BlobSource {
  /** Whether chunks that are read belong to the reader for good; else they are copied and handed back. */
  readonly handsOver: boolean;
}

/** The source is not what it says: the fault is neither the target's nor the connection's. */
export class TransferError extends Error {
  /** `missing`: what was asked for, or what it names, is not there. `invalid`: it is broken, or of no kind that is known. */
  readonly code: 'missing' | 'invalid';
  constructor(code: TransferError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TransferError';
    this.code = code;
  }
}
