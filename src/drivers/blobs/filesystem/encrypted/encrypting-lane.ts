import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { freeChunks } from '../chunk-batch.ts';
import type { WorkerLink } from '../upload-workers.ts';
import { type ChunkCipher, type ChunkKey, RECORD_BYTES } from './chunk-cipher.ts';

/** Where the whole chunks of an upload are hashed, encrypted and written; see `Lane`, which does so for plain bytes. */
export interface EncryptingLane {
  /** How many bytes from the start of the upload went into the running hash; undefined when the hash is not known. */
  readonly hashedBytes: number | undefined;
  /** Whether a large batch may be given to this lane, or it deserves a worker. */
  readonly takesLargeBatches: boolean;

  /**
   * Calls need not wait for each other: what is given is written in that order, and after one has failed none of the later
   * ones is.
   *
   * @param firstIndex number of the first chunk
   * @param plain whole chunks; its memory belongs to the lane
   */
  write(handle: FileHandle, firstIndex: number, plain: Uint8Array<ArrayBuffer>): Promise<void>;

  /** SHA-256 of the hashed bytes and what comes after them, in hex; undefined when the hash has been lost. */
  sha256Hex(rest: Uint8Array): Promise<string | undefined>;

  /** Forgets the running hash. */
  release(): void;
}

/** Hashes and encrypts on the main thread and writes through the thread pool: for small uploads, which no message is worth. */
export class EncryptingMainLane implements EncryptingLane {
  readonly #cipher: ChunkCipher;
  #hash: Hash | undefined;
  #hashedBytes = 0;
  #lastWrite: Promise<void> = Promise.resolve();

  /** @param wholeChunks how many there are; the hash is known only when there are none */
  constructor(cipher: ChunkCipher, wholeChunks: number) {
    this.#cipher = cipher;
    if (wholeChunks === 0) this.#hash = createHash('sha256');
  }

  get hashedBytes(): number | undefined {
    return this.#hash === undefined ? undefined : this.#hashedBytes;
  }

  /** What has been hashed here would have to be read and decrypted to be hashed in a worker. */
  get takesLargeBatches(): boolean {
    return this.#hash !== undefined;
  }

  write(handle: FileHandle, firstIndex: number, plain: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#hash?.update(plain);
    this.#hashedBytes += plain.byteLength;
    const records = this.#cipher.encryptWhole(plain, firstIndex);
    freeChunks([plain]);
    const write = this.#lastWrite.then(() => writeAll(handle, records, firstIndex * RECORD_BYTES));
    this.#lastWrite = write;
    return write;
  }

  async sha256Hex(rest: Uint8Array): Promise<string | undefined> {
    return this.#hash?.copy().update(rest).digest('hex');
  }

  release(): void {
    this.#hash = undefined;
  }
}

/** Does all of it in a worker. */
export class EncryptingWorkerLane implements EncryptingLane {
  readonly takesLargeBatches = true;
  readonly #link: WorkerLink;
  readonly #stream: number;
  #hashedBytes: number | undefined;

  constructor(link: WorkerLink, chunkKey: ChunkKey, handle: FileHandle, wholeChunks: number) {
    this.#link = link;
    this.#stream = link.newStream();
    this.#hashedBytes = wholeChunks === 0 ? 0 : undefined;
    link.tell({ kind: 'begin', stream: this.#stream, fd: handle.fd, startBytes: this.#hashedBytes, chunkKey });
  }

  get hashedBytes(): number | undefined {
    return this.#link.dead ? undefined : this.#hashedBytes;
  }

  async write(handle: FileHandle, firstIndex: number, plain: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#hashedBytes !== undefined) this.#hashedBytes += plain.byteLength;
    const [stream, position] = [this.#stream, firstIndex * RECORD_BYTES];
    await this.#link.ask({ kind: 'write', stream, fd: handle.fd, position, chunks: [plain] }, [plain.buffer]);
  }

  async sha256Hex(rest: Uint8Array): Promise<string | undefined> {
    return this.#link.dead ? undefined : this.#link.ask({ kind: 'sha256', stream: this.#stream, rest });
  }

  release(): void {
    this.#hashedBytes = undefined;
    this.#link.tell({ kind: 'forget', stream: this.#stream });
  }
}

async function writeAll(handle: FileHandle, content: Buffer<ArrayBuffer>, position: number): Promise<void> {
  for (let done = 0; done < content.byteLength; ) {
    const { bytesWritten } = await handle.write(content, done, content.byteLength - done, position + done);
    done += bytesWritten;
  }
  freeChunks([content]);
}
