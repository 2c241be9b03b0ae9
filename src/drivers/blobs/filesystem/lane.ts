import type { FileHandle } from 'node:fs/promises';
import type { ChunkBatch } from './chunk-batch.ts';

/**
 * Where the bytes of an upload are hashed and written: on the main thread or in one of the workers. An upload keeps
 * its lane between appends, because a running hash cannot move from one thread to another.
 */
export interface Lane {
  /** How many bytes from the start of the upload went into the running hash; undefined when the hash is not known. */
  readonly hashedBytes: number | undefined;
  /** Whether a batch of any size may be given to this lane from here on, or a large one deserves a worker. */
  readonly takesLargeBatches: boolean;

  /**
   * Hashes and writes. Calls need not wait for each other: batches are written in the order given, and after one has
   * failed none of the later ones is written. Frees the memory of the batch.
   *
   * @param position where in the file the batch begins, in bytes
   */
  write(handle: FileHandle, position: number, batch: ChunkBatch): Promise<void>;

  /** SHA-256 of the hashed bytes in hex; the lane can go on afterwards. Undefined when the hash has been lost. */
  sha256Hex(): Promise<string | undefined>;

  /** Forgets the running hash. */
  release(): void;
}

/** Appends below this size stay on the main thread; larger ones travel to a worker in batches of this size. */
export const BATCH_BYTES = 256 * 1024;
