/** Memory that readers fill. Buffers are as large as the number of readers allows and are used again. */
export class BufferPool {
  /** All of one size: when the size changes, those of the former size are left to the garbage collector. */
  #idle: Buffer<ArrayBuffer>[] = [];
  #idleBufferBytes = 0;
  #readers = 0;

  /** How large a buffer a reader may take now. */
  get bufferBytes(): number {
    return SIZES.find(({ readersMax }) => this.#readers <= readersMax)!.bufferBytes;
  }

  /** Bytes kept for later readers; for tests. */
  get idleBytes(): number {
    return this.#idle.length * this.#idleBufferBytes;
  }

  /** Counts a reader in; it counts itself out with `leave`. */
  enter(): void {
    this.#readers++;
  }

  leave(): void {
    this.#readers--;
  }

  /** @param bytes how much is left to read: a reader of little gets no more than that */
  take(bytes: number): Buffer<ArrayBuffer> {
    const wanted = this.bufferBytes;
    if (bytes < wanted) return Buffer.allocUnsafeSlow(bytes);
    this.#dropOtherSizes(wanted);
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(wanted);
  }

  give(buffer: Buffer<ArrayBuffer>): void {
    const wanted = this.bufferBytes;
    this.#dropOtherSizes(wanted);
    if (buffer.byteLength === wanted && this.idleBytes + wanted <= IDLE_BYTES_MAX) this.#idle.push(buffer);
  }

  #dropOtherSizes(wanted: number): void {
    if (this.#idleBufferBytes === wanted) return;
    this.#idle = [];
    this.#idleBufferBytes = wanted;
  }
}

/**
 * A reader holds two buffers at most: 64 readers hold 128 MiB, 512 hold 352 MiB, and each one beyond another 128 KiB,
 * however slow its client is.
 */
const SIZES = [
  { readersMax: 64, bufferBytes: 1024 * 1024 },
  { readersMax: 512, bufferBytes: 256 * 1024 },
  { readersMax: Number.POSITIVE_INFINITY, bufferBytes: 64 * 1024 },
] as const;

const IDLE_BYTES_MAX = 16 * 1024 * 1024;
