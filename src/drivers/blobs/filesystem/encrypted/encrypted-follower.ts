import { type FileHandle, open } from 'node:fs/promises';
import type { StagedFollower } from '../../../../core/blob-store.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { type FollowerReading, PooledFollower } from '../pooled-follower.ts';
import { unlessMissing } from '../storage-errors.ts';
import {
  CHUNK_BYTES,
  type ChunkCipher,
  DamagedChunkError,
  freeOutput,
  RECORD_BYTES,
  RECORD_OVERHEAD_BYTES,
} from './chunk-cipher.ts';
import { readTailOf, type StagedFiles } from './staged-files.ts';

/**
 * Follows the staged bytes of an encrypted upload; undefined when there are none. What is sealed meanwhile is read to its end,
 * of what is discarded the whole chunks.
 */
export async function followEncrypted(
  files: StagedFiles,
  cipher: ChunkCipher,
  pool: BufferPool,
  offset: number,
): Promise<StagedFollower | undefined> {
  const handle = await unlessMissing(open(files.chunks, 'r'));
  return handle && new PooledFollower(handle, pool, offset, new EncryptedReading(handle, files, cipher));
}

/** Each that follows has memory for as much again before it is decrypted. */
const CHUNKS_AT_ONCE = 2;

class EncryptedReading implements FollowerReading {
  readonly bufferBytes = CHUNKS_AT_ONCE * CHUNK_BYTES;
  readonly #handle: FileHandle;
  readonly #files: StagedFiles;
  readonly #cipher: ChunkCipher;
  readonly #records = Buffer.allocUnsafeSlow(CHUNKS_AT_ONCE * RECORD_BYTES);

  constructor(handle: FileHandle, files: StagedFiles, cipher: ChunkCipher) {
    this.#handle = handle;
    this.#files = files;
    this.#cipher = cipher;
  }

  async read(target: Buffer, position: number): Promise<{ start: number; end: number }> {
    const first = Math.floor(position / CHUNK_BYTES);
    const { bytesRead } = await this.#handle.read(this.#records, 0, this.#records.byteLength, first * RECORD_BYTES);
    const whole = Math.floor(bytesRead / RECORD_BYTES);
    for (let at = 0; at < whole; at++) {
      const plain = this.#cipher.decrypt(this.#recordAt(at, RECORD_BYTES), first + at, 'whole');
      plain.copy(target, at * CHUNK_BYTES);
      freeOutput(plain);
    }
    const end = whole > 0 ? whole * CHUNK_BYTES : await this.#readRest(target, first, bytesRead);
    return { start: position - first * CHUNK_BYTES, end };
  }

  /** What there is of a chunk that is not whole. @returns how much of it */
  async #readRest(target: Buffer, index: number, recordBytes: number): Promise<number> {
    const plain = (await readTailOf(this.#files, this.#cipher, index)) ?? this.#endOf(index, recordBytes);
    const bytes = plain?.copy(target) ?? 0;
    if (plain) freeOutput(plain);
    return bytes;
  }

  /** Behind the whole chunks is the end of what was sealed, or a part of a chunk that is being written: that does not open. */
  #endOf(index: number, recordBytes: number): Buffer | undefined {
    if (recordBytes <= RECORD_OVERHEAD_BYTES) return undefined;
    try {
      return this.#cipher.decrypt(this.#recordAt(0, recordBytes), index, 'end');
    } catch (error) {
      if (error instanceof DamagedChunkError) return undefined;
      throw error;
    }
  }

  #recordAt(place: number, bytes: number): Buffer {
    return this.#records.subarray(place * RECORD_BYTES, place * RECORD_BYTES + bytes);
  }
}
