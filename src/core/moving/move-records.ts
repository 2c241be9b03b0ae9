import type { BlobLocation } from '../blob-store.ts';
import type { Protection } from '../encryption/protection.ts';
import type { Digest } from '../values/digest.ts';

/** Where a registry is. Both are told to people, so no password is in them; two places are the same when their texts are. */
export interface RegistryPlace {
  /** Of facts: a folder, or a database's address. */
  readonly facts: string;
  /** Of bytes: a folder, or a bucket's address. */
  readonly bytes: string;
}

/**
 * The last move that a store of facts takes part in, as its source or its target.
 *
 * - `leaving`: it is the source, and serves on while bytes are copied.
 * - `left`: the registry is elsewhere, and nobody serves from here.
 * - `arriving`: it is the target, and not all is here; nobody serves from here yet.
 * - `arrived`: it was the target, and serves.
 * - `bytes-leaving`: its facts stay while bytes are copied elsewhere.
 * - `bytes-left`: its facts stayed, and its bytes are elsewhere.
 */
export interface Move {
  /** A UUID; the source and the target have the same. */
  readonly id: string;
  readonly stage: 'leaving' | 'left' | 'arriving' | 'arrived' | 'bytes-leaving' | 'bytes-left';
  readonly from: RegistryPlace;
  readonly to: RegistryPlace;
  /** When the stage began. */
  readonly at: Date;
}

/** A blob of the source and the copy of it: the ledger by which a move that was broken off goes on. */
export interface MovedBlob {
  readonly from: BlobLocation;
  readonly to: BlobLocation;
  readonly digest: Digest;
  readonly bytes: number;
  /** Of the copy; absent when its bytes are kept as they came. */
  readonly protection?: Protection;
}

/** The ledger is kept where the facts will be in the end. */
export interface MoveReads {
  find(): Promise<Move | undefined>;
  /** Those of the locations of which there is a copy. */
  copiesOf(locations: readonly BlobLocation[]): Promise<MovedBlob[]>;
  /** Copies in the order of the locations they were made from. */
  copies(afterFrom: BlobLocation, limit: number): Promise<MovedBlob[]>;
  /** Copies whose bytes were not read again, in the same order. */
  unread(afterFrom: BlobLocation, limit: number): Promise<MovedBlob[]>;
  copied(): Promise<{ readonly blobs: number; readonly bytes: number }>;
  /** How many of these, which a store listed, are copies with the bytes that they should have. */
  countAmong(listed: readonly { readonly location: BlobLocation; readonly bytes: number }[]): Promise<number>;
}

export interface MoveRecords extends MoveReads {
  /** In place of what was there. */
  put(move: Move): Promise<void>;
  clear(): Promise<void>;
  /** Takes the move for one process until then. @returns false while another has it */
  hold(holder: string, until: Date, now: Date): Promise<boolean>;
  release(holder: string): Promise<void>;
  noteCopy(blob: MovedBlob): Promise<void>;
  noteRead(froms: readonly BlobLocation[]): Promise<void>;
  /** A copy that turned out bad: it is made again. */
  forgetCopy(from: BlobLocation): Promise<void>;
  forgetCopies(): Promise<void>;
  /**
   * Makes every blob of this store point at its copy. None is archived any more unless `keepsArchive`.
   *
   * @returns how many blobs have no copy and still point where they did
   */
  relocate(keepsArchive: boolean): Promise<number>;
}
