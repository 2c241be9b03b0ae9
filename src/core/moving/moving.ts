import type { BlobStore, KeptBytes } from '../blob-store.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { Protection } from '../encryption/protection.ts';
import type { MetadataStore } from '../metadata-store.ts';
import type { FactsCarrier } from './facts-carrier.ts';
import { MoveError } from './move-error.ts';
import type { RegistryPlace } from './move-records.ts';

/** A move that somebody asked for, with both sides open. */
export interface Moving extends Pick<CoreDependencies, 'now' | 'newId'> {
  readonly source: MovingSide;
  /** What does not move is the source's own: the same `metadata`, or the same `blobs`. */
  readonly target: MovingSide;
  /** Undefined when facts stay. */
  readonly carrier: FactsCarrier | undefined;
  /** Blobs that are copied at a time. */
  readonly concurrency: number;
  /** Whether copies are read again and their digests compared; else their sizes are. */
  readonly readsAgain: boolean;
  /** Rejects with MoveError while anybody else may write to the source. */
  readonly requireAlone: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: MoveProgress) => void;
}

export interface MovingSide {
  readonly place: RegistryPlace;
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  /** Absent where nothing can be read or kept encrypted. */
  readonly encryption?: SideEncryption;
}

export interface SideEncryption {
  /** The bytes that are kept under a protection; rejects when its key cannot be used. */
  bytes(protection: Protection): Promise<KeptBytes>;
  /** For a copy in this side's store, under the key of the original and bound to the same. */
  protectLike(protection: Protection): Promise<Protection>;
}

export type MoveProgress =
  | { readonly step: 'copying' | 'reading-again'; readonly blobs: number; readonly bytes: number }
  | { readonly step: 'facts'; readonly rows: number };

export function movesBytes({ source, target }: Moving): boolean {
  return source.blobs !== target.blobs;
}

/** Where the ledger is, and what is held: the facts as they will be in the end. */
export function ledgerOf({ carrier, source, target }: Moving): MetadataStore {
  return carrier === undefined ? source.metadata : target.metadata;
}

/** @throws MoveError when this side can do nothing with encrypted bytes */
export async function bytesOf(side: MovingSide, protection: Protection | undefined): Promise<KeptBytes> {
  if (protection === undefined) return side.blobs;
  return encryptionOf(side).bytes(protection);
}

/** What is encrypted stays so. */
export async function protectionLike(
  side: MovingSide,
  protection: Protection | undefined,
): Promise<{ protection?: Protection }> {
  if (protection === undefined) return {};
  return { protection: await encryptionOf(side).protectLike(protection) };
}

function encryptionOf({ encryption, place }: MovingSide): SideEncryption {
  if (encryption !== undefined) return encryption;
  throw new MoveError(`There are encrypted bytes, and in ${place.bytes} none can be kept: nothing is moved in plain`);
}
