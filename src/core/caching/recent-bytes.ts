/** The last bytes of a stream, for readers that are as far as it is: they need not wait for the disk. */
export class RecentBytes {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #end = 0;

  /** How many bytes have been added in all. */
  get end(): number {
    return this.#end;
  }

  /** From where on they are here. */
  get start(): number {
    return this.#end - this.#bytes;
  }

  /** @param keptBytesMax of how many last bytes copies are kept, 0 for none: the chunk itself is somebody else's */
  add(chunk: Uint8Array, keptBytesMax: number): void {
    this.#end += chunk.byteLength;
    if (keptBytesMax === 0) {
      this.clear();
      return;
    }
    this.#chunks.push(new Uint8Array(chunk));
    this.#bytes += chunk.byteLength;
    while (this.#bytes > keptBytesMax && this.#chunks.length > 1) this.#bytes -= this.#chunks.shift()!.byteLength;
  }

  /** The rest of a chunk, from a position on. */
  from(position: number): Uint8Array | undefined {
    let { start } = this;
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
