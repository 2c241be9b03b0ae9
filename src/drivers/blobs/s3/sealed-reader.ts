import type { Readable } from 'node:stream';
import type { BlobReader, ByteRange } from '../../../core/blob-store.ts';
import type { Bucket } from './bucket.ts';

/** Opens an object of `bytes` bytes, or a range of it; undefined when there is none. */
export async function openSealed(
  bucket: Bucket,
  key: string,
  { bytes, range }: { bytes: number; range: ByteRange | undefined },
): Promise<BlobReader | undefined> {
  const { first, last } = range ?? { first: 0, last: bytes - 1 };
  if (range !== undefined && !(first >= 0 && first <= last && last < bytes)) {
    throw new RangeError(`Bytes ${first} to ${last} are not within a blob of ${bytes} bytes`);
  }
  const stream = await bucket.open(key, range);
  return stream && new SealedReader((at) => bucket.open(key, { first: at, last }), stream, first, last + 1);
}

type Chunks = AsyncIterator<Uint8Array, undefined>;

/** Gives the chunks of a connection, and goes on with a new one where it broke. */
class SealedReader implements BlobReader {
  readonly bytes: number;
  readonly #openAt: (position: number) => Promise<Readable | undefined>;
  readonly #end: number;
  readonly #lent = new Set<Uint8Array>();
  #stream: Readable;
  #chunks: Chunks;
  #position: number;
  /** Connections that broke since the last byte came. */
  #broken = 0;
  #disposed = false;
  /** Exists while `next` waits for a chunk to be handed back. */
  #handedBack: PromiseWithResolvers<void> | undefined;

  constructor(
    openAt: (position: number) => Promise<Readable | undefined>,
    stream: Readable,
    position: number,
    end: number,
  ) {
    this.#openAt = openAt;
    this.#stream = stream;
    this.#chunks = chunksOf(stream);
    this.#position = position;
    this.#end = end;
    this.bytes = end - position;
  }

  async next(): Promise<Uint8Array | undefined> {
    while (this.#lent.size >= LENT_MAX && !this.#disposed) {
      this.#handedBack ??= Promise.withResolvers();
      await this.#handedBack.promise;
    }
    while (this.#position < this.#end) {
      this.#requireOpen();
      try {
        const chunk = (await this.#chunks.next()).value;
        this.#requireOpen();
        if (chunk === undefined) throw new Error(`The sealed bytes end at ${this.#position}, before ${this.#end}`);
        if (this.#position + chunk.byteLength > this.#end) throw new Error('The store sent more than was asked for');
        this.#position += chunk.byteLength;
        this.#broken = 0;
        this.#lent.add(chunk);
        return chunk;
      } catch (error) {
        this.#requireOpen();
        await this.#reopen(error);
      }
    }
    this.#requireOpen();
    return undefined;
  }

  recycle(chunk: Uint8Array): void {
    if (this.#lent.delete(chunk)) this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#stream.destroy();
    this.#wake();
  }

  async #reopen(cause: unknown): Promise<void> {
    this.#broken++;
    if (this.#broken > BROKEN_MAX) throw cause;
    this.#stream.destroy();
    const stream = await this.#openAt(this.#position);
    if (stream === undefined) throw cause;
    this.#stream = stream;
    this.#chunks = chunksOf(stream);
    if (this.#disposed) stream.destroy();
  }

  #requireOpen(): void {
    if (this.#disposed) throw new Error('The reader was disposed of');
  }

  #wake(): void {
    this.#handedBack?.resolve();
    this.#handedBack = undefined;
  }
}

const LENT_MAX = 2;
const BROKEN_MAX = 3;

function chunksOf(stream: Readable): Chunks {
  // A failure after disposal is nobody's.
  stream.on('error', () => {});
  return stream[Symbol.asyncIterator]() as Chunks;
}
