import { isMarkedAsUntransferable } from 'node:worker_threads';

/** Chunks that are hashed and written together. Their memory belongs to the batch: it may be transferred or freed. */
export interface ChunkBatch {
  readonly chunks: Uint8Array<ArrayBuffer>[];
  readonly bytes: number;
}

/** Gathers chunks into batches; tiny ones share a slab, so that a client sending single bytes costs no system call each. */
export class ChunkGatherer {
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #slab: Uint8Array<ArrayBuffer> | undefined;
  #slabUsed = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a chunk over. A chunk that shares its memory with others is copied. */
  add(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (chunk.byteLength >= TINY_BYTES) {
      this.#endSlab();
      this.#chunks.push(ownsMemory(chunk) ? chunk : copyOf(chunk));
      return;
    }
    if (this.#slab !== undefined && this.#slabUsed + chunk.byteLength > this.#slab.byteLength) this.#endSlab();
    this.#slab ??= allocate(SLAB_BYTES);
    this.#slab.set(chunk, this.#slabUsed);
    this.#slabUsed += chunk.byteLength;
  }

  /** Everything gathered since the last call. */
  take(): ChunkBatch {
    this.#endSlab();
    const batch = { chunks: this.#chunks, bytes: this.#bytes };
    this.#chunks = [];
    this.#bytes = 0;
    return batch;
  }

  #endSlab(): void {
    if (this.#slab === undefined) return;
    this.#chunks.push(this.#slab.subarray(0, this.#slabUsed));
    this.#slab = undefined;
    this.#slabUsed = 0;
  }
}

/** Gives the memory of written chunks back at once instead of leaving it to the garbage collector. */
export function freeChunks(chunks: readonly Uint8Array<ArrayBuffer>[]): void {
  for (const chunk of chunks) chunk.buffer.transfer(0);
}

/** Gives the memory of a chunk that was copied back, unless it shares it with others. */
export function freeCopied(chunk: Uint8Array): void {
  if (ownsMemory(chunk)) freeChunks([chunk]);
}

/** What is left of the chunks after their first `written` bytes; for writes that took only a part. */
export function chunksAfter(chunks: readonly Uint8Array<ArrayBuffer>[], written: number): Uint8Array<ArrayBuffer>[] {
  let skip = written;
  const rest: Uint8Array<ArrayBuffer>[] = [];
  for (const chunk of chunks) {
    if (skip < chunk.byteLength) rest.push(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.byteLength);
  }
  return rest;
}

const TINY_BYTES = 4 * 1024;
const SLAB_BYTES = 64 * 1024;

function ownsMemory(chunk: Uint8Array): chunk is Uint8Array<ArrayBuffer> {
  const memory = chunk.buffer;
  if (!(memory instanceof ArrayBuffer) || memory.byteLength !== chunk.byteLength) return false;
  return !memory.resizable && !isMarkedAsUntransferable(memory);
}

function copyOf(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = allocate(chunk.byteLength);
  copy.set(chunk);
  return copy;
}

function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(bytes);
}
