import { type FileHandle, open } from 'node:fs/promises';
import type { BlobReader, ByteRange } from '../../../core/blob-store.ts';
import type { BufferPool } from './buffer-pool.ts';
import { unlessMissing } from './storage-errors.ts';

/** Opens a sealed file; undefined when there is none. Throws RangeError for a range that is not within the file. */
export async function openSealed(path: string, pool: BufferPool, range?: ByteRange): Promise<BlobReader | undefined> {
  const handle = await unlessMissing(open(path, 'r'));
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const { first, last } = range ?? { first: 0, last: size - 1 };
    if (range !== undefined && !(first >= 0 && first <= last && last < size)) {
      throw new RangeError(`Bytes ${first} to ${last} are not within a blob of ${size} bytes`);
    }
    return new SealedReader(handle, pool, first, last + 1);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads ahead into one buffer while the consumer holds the other. Owns its descriptor. */
class SealedReader implements BlobReader {
  readonly bytes: number;
  readonly #handle: FileHandle;
  readonly #pool: BufferPool;
  readonly #end: number;
  #position: number;
  /** Buffers that the consumer holds, by their memory: a chunk may be shorter than its buffer. */
  readonly #lent = new Map<ArrayBufferLike, Buffer<ArrayBuffer>>();
  /** The chunk being read, or read and not asked for yet. */
  #ahead: Promise<Buffer<ArrayBuffer>> | undefined;
  /** Exists while `next` waits for a buffer to be handed back. */
  #handedBack: PromiseWithResolvers<void> | undefined;
  #disposing: Promise<void> | undefined;

  constructor(handle: FileHandle, pool: BufferPool, first: number, end: number) {
    this.#handle = handle;
    this.#pool = pool;
    this.#position = first;
    this.#end = end;
    this.bytes = end - first;
    pool.enter();
  }

  async next(): Promise<Uint8Array | undefined> {
    while (this.#lent.size >= BUFFERS_MAX && this.#disposing === undefined) {
      this.#handedBack ??= Promise.withResolvers();
      await this.#handedBack.promise;
    }
    if (this.#disposing !== undefined) throw new Error('The reader was disposed of');
    this.#readAhead();
    if (this.#ahead === undefined) return undefined;
    const chunk = await this.#ahead;
    if (this.#disposing !== undefined) throw new Error('The reader was disposed of');
    this.#ahead = undefined;
    this.#lent.set(chunk.buffer, chunk);
    this.#readAhead();
    return chunk;
  }

  recycle(chunk: Uint8Array): void {
    const lent = this.#lent.get(chunk.buffer);
    if (lent === undefined) return;
    this.#lent.delete(chunk.buffer);
    this.#pool.give(wholeOf(lent));
    this.#wake();
    if (this.#disposing === undefined) this.#readAhead();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose();
    return this.#disposing;
  }

  async #dispose(): Promise<void> {
    this.#wake();
    const unread = await this.#ahead?.catch(() => undefined);
    if (unread !== undefined) this.#pool.give(wholeOf(unread));
    this.#ahead = undefined;
    this.#pool.leave();
    await this.#handle.close();
  }

  #readAhead(): void {
    if (this.#ahead !== undefined || this.#lent.size >= BUFFERS_MAX || this.#position === this.#end) return;
    const buffer = this.#pool.take(this.#end - this.#position);
    const bytes = Math.min(buffer.byteLength, this.#end - this.#position);
    this.#ahead = this.#fill(buffer.subarray(0, bytes), this.#position);
    this.#position += bytes;
    // Whoever asks next, or disposes, gets the failure; nobody may.
    this.#ahead.catch(() => {});
  }

  async #fill(chunk: Buffer<ArrayBuffer>, position: number): Promise<Buffer<ArrayBuffer>> {
    for (let filled = 0; filled < chunk.byteLength; ) {
      const { bytesRead } = await this.#handle.read(chunk, filled, chunk.byteLength - filled, position + filled);
      if (bytesRead === 0) throw new Error(`The sealed bytes end at ${position + filled}, before ${this.#end}`);
      filled += bytesRead;
    }
    return chunk;
  }

  #wake(): void {
    this.#handedBack?.resolve();
    this.#handedBack = undefined;
  }
}

const BUFFERS_MAX = 2;

function wholeOf(chunk: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  return Buffer.from(chunk.buffer);
}
