/** Bytes that come in chunks, taken in the pieces that their reader wants. Nothing is kept but the chunk at hand. */
export class ChunkSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #taken = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** How many bytes were taken or skipped so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Exactly so many bytes, if the chunk at hand has them; good until more is asked for. */
  takeWhole(bytes: number): Buffer | undefined {
    if (this.#chunk.length - this.#at < bytes) return undefined;
    const piece = this.#chunk.subarray(this.#at, this.#at + bytes);
    this.#advance(bytes);
    return piece;
  }

  /** Up to so many bytes, fewer only at the end; a copy. */
  async read(bytes: number): Promise<Buffer> {
    const piece = Buffer.allocUnsafe(bytes);
    let filled = 0;
    while (filled < bytes && (await this.#fill())) {
      const copied = this.#chunk.copy(piece, filled, this.#at, this.#at + (bytes - filled));
      filled += copied;
      this.#advance(copied);
    }
    return piece.subarray(0, filled);
  }

  /** What is at hand, at most so many bytes, without a copy; good until more is asked for. @returns undefined at the end */
  async readSome(bytesMax: number): Promise<Buffer | undefined> {
    if (!(await this.#fill())) return undefined;
    const piece = this.#chunk.subarray(this.#at, this.#at + bytesMax);
    this.#advance(piece.length);
    return piece;
  }

  /** @returns how many bytes were skipped; fewer only at the end */
  async skip(bytes: number): Promise<number> {
    let left = bytes;
    while (left > 0 && (await this.#fill())) {
      const skipped = Math.min(left, this.#chunk.length - this.#at);
      left -= skipped;
      this.#advance(skipped);
    }
    return bytes - left;
  }

  /** Lets go of whoever gives the chunks. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #advance(bytes: number): void {
    this.#at += bytes;
    this.#taken += bytes;
  }

  async #fill(): Promise<boolean> {
    while (this.#at >= this.#chunk.length) {
      const { done, value } = await this.#chunks.next();
      if (done) return false;
      this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      this.#at = 0;
    }
    return true;
  }
}
