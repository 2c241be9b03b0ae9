/** The last bytes of a stream, for readers that are as far as it is: they need not wait for the disk. */
export class RecentBytes {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #end = 0;

  /** How many bytes have been added in all. */
  get end(): number {
    return this.#end;
  }

  /** @param isKept whether a copy is kept: the chunk itself is somebody else's */
  add(chunk: Uint8Array, isKept: boolean): void {
    this.#end += chunk.byteLength;
    if (!isKept) {
      this.clear();
      return;
    }
    this.#chunks.push(new Uint8Array(chunk));
    this.#bytes += chunk.byteLength;
    while (this.#bytes > KEPT_BYTES_MAX && this.#chunks.length > 1) this.#bytes -= this.#chunks.shift()!.byteLength;
  }

  /** The rest of a chunk, from a position on. */
  from(position: number): Uint8Array | undefined {
    let start = this.#end - this.#bytes;
    if (position < start) return undefined;
    for (const chunk of this.#chunks) {
      if (position < start + chunk.byteLength) return chunk.subarray(position - start);
      start += chunk.byteLength;
    }
    return undefined;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#bytes = 0;
  }
}

/** Of each import that somebody reads. */
const KEPT_BYTES_MAX = 1024 * 1024;
