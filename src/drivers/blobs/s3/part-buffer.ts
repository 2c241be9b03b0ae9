/** Gathers chunks until there is enough for a part. Chunks are copied: parts are sent in one piece. */
export class PartBuffer {
  #memory: Buffer = EMPTY;
  #bytes = 0;
  /** Memory of parts that were sent; the system takes its time over new memory. */
  readonly #idle: Buffer[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Uint8Array): void {
    const needed = this.#bytes + chunk.byteLength;
    if (needed > this.#memory.byteLength) {
      const grown = this.#memoryOf(needed);
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

  /** Hands back what was taken, once nobody reads it any more. */
  recycle(taken: Buffer): void {
    const memory = Buffer.from(taken.buffer);
    if (memory.byteLength >= LARGE_BYTES) this.#idle.push(memory);
  }

  #memoryOf(needed: number): Buffer {
    if (needed <= SMALL_BYTES_MAX) return Buffer.allocUnsafeSlow(Math.max(2 * needed, MEMORY_BYTES_MIN));
    const idle = needed <= LARGE_BYTES ? this.#idle.pop() : undefined;
    return idle ?? Buffer.allocUnsafeSlow(Math.max(needed, LARGE_BYTES));
  }
}

const EMPTY = Buffer.alloc(0);
const MEMORY_BYTES_MIN = 16 * 1024;
/** What grows beyond this probably becomes a part. */
const SMALL_BYTES_MAX = 512 * 1024;
/** A part, what is held back behind it, and a chunk. */
const LARGE_BYTES = 14 * 1024 * 1024;
