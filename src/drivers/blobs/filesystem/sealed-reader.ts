import { type FileHandle, open } from 'node:fs/promises';
import type { BlobReader, ByteRange } from '../../../core/blob-store.ts';
import type { BufferPool } from './buffer-pool.ts';
import { unlessMissing } from './storage-errors.ts';

/** What a sealed file holds. */
export interface SealedContent {
  readonly bytes: number;
  /** Reads that begin and end at multiples of this cost least. */
  readonly alignedTo: number;
  /** Fills a buffer from a position on. Rejects when it cannot be filled. */
  fill(target: Buffer<ArrayBuffer>, position: number): Promise<void>;
}

export type OpenContent = (handle: FileHandle, fileBytes: number) => SealedContent | Promise<SealedContent>;

/** Opens a sealed file; undefined when there is none. Throws RangeError for a range that is not within the file. */
export async function openSealed(
  path: string,
  pool: BufferPool,
  range?: ByteRange,
  openContent: OpenContent = plainContent,
): Promise<BlobReader | undefined> {
  const handle = await unlessMissing(open(path, 'r'));
  if (handle === undefined) return undefined;
  try {
    const content = await openContent(handle, (await handle.stat()).size);
    const { first, last } = range ?? { first: 0, last: content.bytes - 1 };
    if (range !== undefined && !(first >= 0 && first <= last && last < content.bytes)) {
      throw new RangeError(`Bytes ${first} to ${last} are not within a blob of ${content.bytes} bytes`);
    }
    return new SealedReader(handle, content, pool, { first, last });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads ahead into one buffer while the consumer holds the other. Owns its descriptor. */
class SealedReader implements BlobReader {
  readonly bytes: number;
  readonly #handle: FileHandle;
  readonly #content: SealedContent;
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

  constructor(handle: FileHandle, content: SealedContent, pool: BufferPool, { first, last }: ByteRange) {
    this.#handle = handle;
    this.#content = content;
    this.#pool = pool;
    this.#position = first;
    this.#end = last + 1;
    this.bytes = last + 1 - first;
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
    const aligned = buffer.byteLength - (this.#position % this.#content.alignedTo);
    const bytes = Math.min(aligned > 0 ? aligned : buffer.byteLength, this.#end - this.#position);
    this.#ahead = this.#fill(buffer.subarray(0, bytes), this.#position);
    this.#position += bytes;
    // Whoever asks next, or disposes, gets the failure; nobody may.
    this.#ahead.catch(() => {});
  }

  async #fill(chunk: Buffer<ArrayBuffer>, position: number): Promise<Buffer<ArrayBuffer>> {
    await this.#content.fill(chunk, position);
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

/** The bytes of the file as they are. */
export function plainContent(handle: FileHandle, fileBytes: number): SealedContent {
  return {
    bytes: fileBytes,
    alignedTo: 1,
    async fill(target, position) {
      for (let filled = 0; filled < target.byteLength; ) {
        const { bytesRead } = await handle.read(target, filled, target.byteLength - filled, position + filled);
        if (bytesRead === 0) throw new Error(`The sealed bytes end at ${position + filled}, before ${fileBytes}`);
        filled += bytesRead;
      }
    },
  };
}
