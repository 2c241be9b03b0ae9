import { type FileHandle, open } from 'node:fs/promises';
import type { StagedFollower } from '../../../core/blob-store.ts';
import type { BufferPool } from './buffer-pool.ts';
import { unlessMissing } from './storage-errors.ts';

/** Follows a staged file; undefined when there is none. A file that is renamed or removed meanwhile stays open. */
export async function followStaged(
  path: string,
  pool: BufferPool,
  offset: number,
): Promise<StagedFollower | undefined> {
  const handle = await unlessMissing(open(path, 'r'));
  return handle && new FileFollower(handle, pool, offset);
}

/** What a follower is given at a time: little, since many may follow, and mostly little is there. */
const CHUNK_BYTES = 256 * 1024;

class FileFollower implements StagedFollower {
  readonly #handle: FileHandle;
  readonly #pool: BufferPool;
  #position: number;
  /** A buffer that nobody holds. */
  #spare: Buffer<ArrayBuffer> | undefined;
  #disposing: Promise<void> | undefined;

  constructor(handle: FileHandle, pool: BufferPool, position: number) {
    this.#handle = handle;
    this.#pool = pool;
    this.#position = position;
    pool.enter();
  }

  async next(): Promise<Uint8Array | undefined> {
    if (this.#disposing !== undefined) throw new Error('The follower was disposed of');
    const buffer = this.#spare ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.#spare = undefined;
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.byteLength, this.#position);
    this.#position += bytesRead;
    if (bytesRead > 0) return buffer.subarray(0, bytesRead);
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
