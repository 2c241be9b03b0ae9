import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { type ChunkBatch, chunksAfter, freeChunks } from './chunk-batch.ts';
import { BATCH_BYTES, type Lane } from './lane.ts';

/**
 * Hashes on the main thread and writes through the thread pool. Right for small uploads: no message to a worker, and
 * many of them write and sync side by side.
 */
export class MainLane implements Lane {
  #hash: Hash | undefined;
  #hashedBytes = 0;
  #lastWrite: Promise<void> = Promise.resolve();

  /** @param position where the upload ends now; the hash is known only when that is the start */
  constructor(position: number) {
    if (position === 0) this.#hash = createHash('sha256');
  }

  get hashedBytes(): number | undefined {
    return this.#hash === undefined ? undefined : this.#hashedBytes;
  }

  /** Once much has been hashed here, hashing it again in a worker would cost more than staying. */
  get takesLargeBatches(): boolean {
    return this.#hash !== undefined && this.#hashedBytes > BATCH_BYTES;
  }

  write(handle: FileHandle, position: number, batch: ChunkBatch): Promise<void> {
    for (const chunk of batch.chunks) this.#hash?.update(chunk);
    this.#hashedBytes += batch.bytes;
    const write = this.#lastWrite.then(() => writeAll(handle, position, batch.chunks));
    this.#lastWrite = write;
    return write;
  }

  async sha256Hex(): Promise<string | undefined> {
    return this.#hash?.copy().digest('hex');
  }

  release(): void {
    this.#hash = undefined;
  }
}

async function writeAll(handle: FileHandle, position: number, chunks: Uint8Array<ArrayBuffer>[]): Promise<void> {
  let at = position;
  for (let rest = chunks; rest.length > 0; ) {
    const { bytesWritten } = await handle.writev(rest, at);
    at += bytesWritten;
    rest = chunksAfter(rest, bytesWritten);
  }
  freeChunks(chunks);
}
