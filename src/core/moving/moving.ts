import type { BlobStore } from '../blob-store.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { BlobEncryption } from '../encryption/blob-encryption.ts';
import type { Protection } from '../encryption/protection.ts';
import type { MetadataStore } from '../metadata-store.ts';
import type { FactsCarrier } from './facts-carrier.ts';
import { MoveError } from './move-error.ts';
import type { RegistryPlace } from './move-records.ts';
import { protectLike } from './protect-like.ts';

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
  /** Knows the keys of the registry's bytes. */
  readonly encryption: BlobEncryption;
  /** Whether the store encrypts what it is given under no key. */
  readonly encryptsItself: boolean;
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

/**
 * How a copy is to be kept. What is encrypted stays so.
 *
 * @throws MoveError when the target would keep it plain; RefusedError when a key cannot be used
 */
export async function protectionOfCopy(
  { source, target }: Moving,
  protection: Protection | undefined,
  uploadId: string,
): Promise<{ protection?: Protection }> {
  const kept = await protectLike(target.encryption, protection, uploadId);
  if (kept !== undefined) return { protection: kept };
  if ((protection !== undefined || source.encryptsItself) && !target.encryptsItself) {
    throw new MoveError(
      `There are encrypted bytes, and ${target.place.bytes} would keep them plain: give a folder a master key (--master-key-file), a bucket sse=AES256`,
    );
  }
  return {};
}
