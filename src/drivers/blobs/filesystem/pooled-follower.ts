import type { FileHandle } from 'node:fs/promises';
import type { StagedFollower } from '../../../core/blob-store.ts';
import type { BufferPool } from './buffer-pool.ts';

/** How the bytes of one kind of staged file are read. */
export interface FollowerReading {
  /** What a follower is given at a time at most: little, since many may follow. */
  readonly bufferBytes: number;
  /** Reads what there is from `position` on. @returns where in the buffer that lies; nothing when `end` is not behind `start` */
  read(buffer: Buffer, position: number): Promise<{ readonly start: number; readonly end: number }>;
}

/** A follower of an open file, which stays open until disposal whatever becomes of its name. */
export class PooledFollower implements StagedFollower {
  readonly #handle: FileHandle;
  readonly #pool: BufferPool;
  readonly #reading: FollowerReading;
  #position: number;
  /** A buffer that nobody holds. */
  #spare: Buffer<ArrayBuffer> | undefined;
  #disposing: Promise<void> | undefined;

  constructor(handle: FileHandle, pool: BufferPool, position: number, reading: FollowerReading) {
    this.#handle = handle;
    this.#pool = pool;
    this.#position = position;
    this.#reading = reading;
    pool.enter();
  }

  async next(): Promise<Uint8Array | undefined> {
    if (this.#disposing !== undefined) throw new Error('The follower was disposed of');
    const buffer = this.#spare ?? Buffer.allocUnsafeSlow(this.#reading.bufferBytes);
    this.#spare = undefined;
    const { start, end } = await this.#reading.read(buffer, this.#position);
    if (end > start) {
      this.#position += end - start;
      return buffer.subarray(start, end);
    }
    this.#spare = buffer;
    return undefined;
  }

  recycle(chunk: Uint8Array): void {
    this.#spare = Buffer.from(chunk.buffer as ArrayBuffer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose();
    return this.#disposing;
  }

  async #dispose(): Promise<void> {
    this.#pool.leave();
    await this.#handle.close();
  }
}
