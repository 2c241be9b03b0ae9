/** Gathers chunks until there is enough for a part. Chunks are copied: parts are sent in one piece. */
export class PartBuffer {
  #memory: Buffer = EMPTY;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Uint8Array): void {
    const needed = this.#bytes + chunk.byteLength;
    if (needed > this.#memory.byteLength) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#memory.byteLength * 2, MEMORY_BYTES_MIN));
      this.#memory.copy(grown, 0, 0, this.#bytes);
      this.#memory = grown;
    }
    this.#memory.set(chunk, this.#bytes);
    this.#bytes = needed;
  }

  /** The first bytes; what follows them stays. */
  take(bytes: number): Buffer {
    const taken = this.#memory.subarray(0, bytes);
    const rest = this.#memory.subarray(bytes, this.#bytes);
    this.#memory = EMPTY;
    this.#bytes = 0;
    if (rest.byteLength > 0) this.add(rest);
    return taken;
  }
}

const EMPTY = Buffer.alloc(0);
const MEMORY_BYTES_MIN = 16 * 1024;
