import type { EncryptionContext } from './encryption/key-service.ts';
import type { Digest, DigestAlgorithm } from './values/digest.ts';

/**
 * Bytes, and nothing but bytes: the store knows no repositories, registries or images.
 *
 * Two families live in it:
 * - staged: append-only, one per upload id, invisible to readers;
 * - sealed: immutable, one per location, readable.
 *
 * A location is an opaque string chosen by the store. It is unique to the upload that was sealed, never only to the
 * digest: two uploads of the same bytes get two locations, so deleting one of them can never take the other's bytes.
 */
export interface BlobStore extends AsyncDisposable {
  /**
   * Opens the staged bytes of an upload for appending. One appender per upload at a time: core sees to that.
   * The first append creates the staged bytes; no descriptor is held before the first write or after `close`.
   *
   * @param offset the size the staged bytes must have now; anything else throws StagedOffsetError
   */
  appender(uploadId: string, offset: number): Promise<BlobAppender>;

  /**
   * Size of the staged bytes as a reader of the disk would see it; 0 when there are none. Whoever has an upload to itself asks
   * this first: the calls that follow go by what it found, without looking whether another server has written.
   */
  stagedBytes(uploadId: string): Promise<number>;

  /**
   * Digest of all staged bytes. Cheap when this process saw every byte arrive and the algorithm is sha256; otherwise
   * the staged bytes are read once.
   */
  digest(uploadId: string, algorithm: DigestAlgorithm): Promise<Digest>;

  /**
   * Makes the staged bytes immutable and durable: on return the bytes and their name are on disk. All or nothing. The caller has
   * compared the digest before. Sealing is repeatable: when a crash came between sealing and the fact being recorded,
   * a second call with the same arguments finds the sealed bytes and returns their location.
   *
   * An upload that never received a byte seals as an empty blob.
   *
   * @returns undefined when fewer than `bytes` bytes are staged and none are sealed for this upload and digest
   */
  seal(uploadId: string, digest: Digest, bytes: number): Promise<BlobLocation | undefined>;

  /**
   * Reads staged bytes while an appender adds to them, from an offset on. What is followed can be read to its end also when
   * it is sealed or discarded meanwhile. The caller disposes of the follower. With the appender's `flush` it is there when
   * the store can do that; whoever would follow waits for the sealed bytes when it cannot.
   *
   * @returns undefined while there are no staged bytes
   */
  followStaged?(uploadId: string, offset: number): Promise<StagedFollower | undefined>;

  /**
   * Opens the staged bytes of an upload that nobody appends to, as `read` does sealed ones. For stores that others cannot follow
   * an upload of.
   *
   * @returns undefined when there are none
   */
  readStaged?(uploadId: string): Promise<BlobReader | undefined>;

  /** Cuts the staged bytes back to a size, durably. A size at or above the present one changes nothing. */
  truncate(uploadId: string, bytes: number): Promise<void>;

  /** Forgets the staged bytes of an upload; no error when there are none. */
  discard(uploadId: string): Promise<void>;

  /** Every upload that has staged bytes, in no particular order. */
  staged(): AsyncIterable<StagedUpload>;

  /** Size of sealed bytes, or undefined when the location holds none. */
  stat(location: BlobLocation): Promise<{ readonly bytes: number } | undefined>;

  /**
   * Opens sealed bytes for reading. The caller disposes of the reader, also after an error.
   *
   * @param range zero-based and inclusive; the whole blob when left out
   * @returns undefined when the location holds no bytes
   */
  read(location: BlobLocation, range?: ByteRange): Promise<BlobReader | undefined>;

  /** Deletes sealed bytes; no error when there are none. Only garbage collection and a lost race call this. */
  delete(location: BlobLocation): Promise<void>;

  /** Deletes many at a time, for stores that can do so faster than one after the other. */
  deleteMany?(locations: readonly BlobLocation[]): Promise<void>;

  /** Every sealed blob, in no particular order. */
  list(): AsyncIterable<SealedBlob>;

  /**
   * Takes sealed bytes to where those of archived images lie, durably; they stay readable at their location, and may be
   * read all the while. Repeatable, also after a crash. With `restore` it is there when the store has such a place.
   *
   * @returns false when the location holds no bytes
   */
  archive?(location: BlobLocation): Promise<boolean>;

  /** Takes sealed bytes back from where `archive` took them. @returns false when the location holds no bytes */
  restore?(location: BlobLocation): Promise<boolean>;

  /**
   * The store for bytes that are encrypted; absent when it can encrypt none. What `appender`, `seal` and the others of
   * KeptBytes do is the same, for bytes of one protection: whoever reads them must name what they were written with.
   * `discard`, `delete`, `archive` and the listings need no protection; sizes are those of the plain bytes everywhere.
   */
  readonly encrypting?: Encrypting;

  /** A link that hands out the bytes without this server, for stores that can. */
  downloadUrl?(location: BlobLocation, expiresSeconds: number): Promise<string>;

  /** Resolves when the store can take and give bytes; rejects with the reason when it cannot. */
  ready(): Promise<void>;
}

/** Either of two ways; which one it is depends on the store alone. */
export type Encrypting =
  | {
      readonly by: 'data-keys';
      /** @param dataKey of one upload alone: 32 bytes, or 64 for two layers of encryption; the store keeps it nowhere */
      under(dataKey: Uint8Array): KeptBytes;
    }
  | {
      readonly by: 'named-keys';
      under(key: NamedKey): KeptBytes;
    };

/** A key of the service that the store asks itself. */
export interface NamedKey {
  readonly keyId: string;
  readonly encryptionType: 'KMS' | 'KMS_DSSE';
  readonly context: EncryptionContext;
}

/** What a store does with the bytes of an upload and of the blob it becomes. */
export type KeptBytes = Pick<
  BlobStore,
  | 'appender'
  | 'stagedBytes'
  | 'digest'
  | 'seal'
  | 'truncate'
  | 'followStaged'
  | 'readStaged'
  | 'stat'
  | 'read'
  | 'downloadUrl'
>;

export type BlobLocation = string;

/** Zero-based, both ends included, as in HTTP. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Takes the bytes of one PATCH, PUT or part. Bytes are hashed as they pass. */
export interface BlobAppender {
  /**
   * Hands a chunk over: the store may transfer or reuse its memory, the caller must not touch it again.
   *
   * @returns false when the caller should await `drained` before the next chunk
   */
  write(chunk: Uint8Array): boolean;

  /** Resolves when there is room again; rejects when writing has failed. */
  drained(): Promise<void>;

  /** Resolves when those who follow the staged bytes find all that was handed over so far; rejects when writing has failed. */
  flush?(): Promise<void>;

  /**
   * Ends the append: every byte written is in the file and the descriptor is closed, also when this rejects.
   *
   * @param durable true: bytes and the staged name have reached the disk before this resolves. false: they may still
   *   be in the operating system's cache, and sealing (or a later durable close) takes them to the disk.
   * @returns the size of the staged bytes
   */
  close(durable: boolean): Promise<number>;

  /**
   * Ends the append of a writer whose place another server may have taken: what is staged stays as it was before. Absent
   * where a store belongs to one server.
   */
  abandon?(): Promise<void>;
}

/**
 * Gives sealed bytes in order. Chunks come from the store's buffers: a chunk belongs to the caller until it is handed
 * back with `recycle`, and the store reads no more than two chunks ahead of what was handed back.
 */
export interface BlobReader extends AsyncDisposable {
  /** How many bytes this reader gives in all. */
  readonly bytes: number;
  /** The next chunk, or undefined at the end. Rejects when the bytes cannot be read or are fewer than promised. */
  next(): Promise<Uint8Array | undefined>;
  recycle(chunk: Uint8Array): void;
}

/** Gives staged bytes in order as they come; chunks are handed back as a BlobReader's. */
export interface StagedFollower extends AsyncDisposable {
  /** The next chunk; undefined when there is no more for the moment. One at a time. */
  next(): Promise<Uint8Array | undefined>;
  recycle(chunk: Uint8Array): void;
}

export interface StagedUpload {
  readonly uploadId: string;
  readonly bytes: number;
  readonly changedAt: Date;
}

export interface SealedBlob {
  readonly location: BlobLocation;
  readonly digest: Digest;
  readonly bytes: number;
  readonly sealedAt: Date;
  /** The upload whose bytes these were. */
  readonly uploadId: string;
}

/** The staged bytes do not have the size the caller expected. */
export class StagedOffsetError extends Error {
  readonly stagedBytes: number;
  constructor(stagedBytes: number, expectedBytes: number) {
    super(`The staged bytes end at ${stagedBytes}, not at ${expectedBytes}`);
    this.name = 'StagedOffsetError';
    this.stagedBytes = stagedBytes;
  }
}

/** The store has no room left (ENOSPC, EDQUOT, a bucket quota). */
export class StorageFullError extends Error {
  constructor(cause: unknown) {
    super('The blob store has no room left', { cause });
    this.name = 'StorageFullError';
  }
}
