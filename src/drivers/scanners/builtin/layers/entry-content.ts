import type { ChunkSource } from './chunk-source.ts';

/** The bytes of one entry of an archive, in order and once. What is not read is skipped. */
export class EntryContent {
  readonly bytes: number;
  readonly #source: ChunkSource;
  readonly #padding: number;
  readonly #truncated: () => Error;
  #left: number;

  constructor(source: ChunkSource, bytes: number, padding: number, truncated: () => Error) {
    this.bytes = bytes;
    this.#source = source;
    this.#padding = padding;
    this.#truncated = truncated;
    this.#left = bytes;
  }

  /** How many bytes are still to be read. */
  get left(): number {
    return this.#left;
  }

  /** The next bytes, as many as asked for or as are left; a copy. */
  async read(bytesMax: number): Promise<Buffer> {
    const bytes = Math.min(bytesMax, this.#left);
    const piece = await this.#source.read(bytes);
    if (piece.length < bytes) throw this.#truncated();
    this.#left -= bytes;
    return piece;
  }

  /** The next bytes, as many as are at hand; good until more is asked for. @returns undefined when none are left */
  async readSome(): Promise<Buffer | undefined> {
    if (this.#left === 0) return undefined;
    const piece = await this.#source.readSome(this.#left);
    if (piece === undefined) throw this.#truncated();
    this.#left -= piece.length;
    return piece;
  }

  async skip(bytesMax: number): Promise<void> {
    const bytes = Math.min(bytesMax, this.#left);
    if ((await this.#source.skip(bytes)) < bytes) throw this.#truncated();
    this.#left -= bytes;
  }

  /** Skips what is left, and what fills the last block. */
  async end(): Promise<void> {
    const rest = this.#left + this.#padding;
    if (rest > 0 && (await this.#source.skip(rest)) < rest) throw this.#truncated();
    this.#left = 0;
  }
}
