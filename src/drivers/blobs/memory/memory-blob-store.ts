import {
  type BlobAppender,
  type BlobLocation,
  type BlobReader,
  type BlobStore,
  type ByteRange,
  type Encrypting,
  type KeptBytes,
  type SealedBlob,
  type StagedFollower,
  StagedOffsetError,
  type StagedUpload,
} from '../../../core/blob-store.ts';
import { type Digest, type DigestAlgorithm, digestOf } from '../../../core/values/digest.ts';
import { decryptWhole, encryptWhole } from './sealed-under-key.ts';

/** A store that forgets everything when the process ends: for tests and for trying things out. Not bounded. */
export function createMemoryBlobStore({ now = () => new Date() }: { now?: () => Date } = {}): BlobStore {
  return new MemoryBlobStore(now);
}

interface StagedBytes {
  readonly chunks: Uint8Array[];
  bytes: number;
  changedAt: Date;
}

interface SealedBytes {
  readonly digest: Digest;
  readonly bytes: number;
  /** Encrypted when it was sealed under a key. */
  readonly content: Uint8Array;
  readonly isEncrypted: boolean;
  readonly sealedAt: Date;
  readonly uploadId: string;
}

class MemoryBlobStore implements BlobStore {
  readonly #staged = new Map<string, StagedBytes>();
  readonly #sealed = new Map<BlobLocation, SealedBytes>();
  readonly #now: () => Date;
  /** Staged bytes are as plain as the process's memory; sealed ones need their key. */
  readonly encrypting: Encrypting = { by: 'data-keys', under: (dataKey) => this.#under(dataKey) };

  constructor(now: () => Date) {
    this.#now = now;
  }

  async appender(uploadId: string, offset: number): Promise<BlobAppender> {
    const bytes = this.#staged.get(uploadId)?.bytes ?? 0;
    if (bytes !== offset) throw new StagedOffsetError(bytes, offset);
    let written = offset;
    return {
      write: (chunk) => {
        this.#append(uploadId, chunk);
        written += chunk.byteLength;
        return true;
      },
      drained: async () => {},
      flush: async () => {},
      close: async () => written,
    };
  }

  async stagedBytes(uploadId: string): Promise<number> {
    return this.#staged.get(uploadId)?.bytes ?? 0;
  }

  async digest(uploadId: string, algorithm: DigestAlgorithm): Promise<Digest> {
    return digestOf(this.#content(uploadId), algorithm);
  }

  async seal(uploadId: string, digest: Digest, bytes: number): Promise<BlobLocation | undefined> {
    return this.#seal(uploadId, digest, bytes);
  }

  async followStaged(uploadId: string, offset: number): Promise<StagedFollower | undefined> {
    const staged = this.#staged.get(uploadId);
    return staged && followerOf(staged.chunks, offset);
  }

  async truncate(uploadId: string, bytes: number): Promise<void> {
    const staged = this.#staged.get(uploadId);
    if (staged === undefined || staged.bytes <= bytes) return;
    const kept = this.#content(uploadId).slice(0, bytes);
    this.#staged.set(uploadId, { chunks: [kept], bytes, changedAt: this.#now() });
  }

  async discard(uploadId: string): Promise<void> {
    this.#staged.delete(uploadId);
  }

  async *staged(): AsyncGenerator<StagedUpload> {
    for (const [uploadId, { bytes, changedAt }] of this.#staged) yield { uploadId, bytes, changedAt };
  }

  async stat(location: BlobLocation): Promise<{ readonly bytes: number } | undefined> {
    const sealed = this.#sealed.get(location);
    return sealed && { bytes: sealed.bytes };
  }

  async read(location: BlobLocation, range?: ByteRange): Promise<BlobReader | undefined> {
    return this.#read(location, range);
  }

  async delete(location: BlobLocation): Promise<void> {
    this.#sealed.delete(location);
  }

  async *list(): AsyncGenerator<SealedBlob> {
    for (const [location, { digest, bytes, sealedAt, uploadId }] of this.#sealed) {
      yield { location, digest, bytes, sealedAt, uploadId };
    }
  }

  async ready(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#staged.clear();
    this.#sealed.clear();
  }

  #under(dataKey: Uint8Array): KeptBytes {
    return {
      appender: (uploadId, offset) => this.appender(uploadId, offset),
      stagedBytes: (uploadId) => this.stagedBytes(uploadId),
      digest: (uploadId, algorithm) => this.digest(uploadId, algorithm),
      truncate: (uploadId, bytes) => this.truncate(uploadId, bytes),
      followStaged: (uploadId, offset) => this.followStaged(uploadId, offset),
      stat: (location) => this.stat(location),
      seal: async (uploadId, digest, bytes) => this.#seal(uploadId, digest, bytes, dataKey),
      read: async (location, range) => this.#read(location, range, dataKey),
    };
  }

  #seal(uploadId: string, digest: Digest, bytes: number, dataKey?: Uint8Array): BlobLocation | undefined {
    const location = `${digest}.${uploadId}`;
    const stagedBytes = this.#staged.get(uploadId)?.bytes;
    if (stagedBytes !== bytes) {
      if (this.#sealed.get(location)?.bytes === bytes) return location;
      if (stagedBytes !== undefined || bytes !== 0) return undefined;
    }
    const plain = this.#content(uploadId);
    const content = dataKey === undefined ? plain : encryptWhole(plain, dataKey, location);
    const isEncrypted = dataKey !== undefined;
    this.#sealed.set(location, { digest, bytes, content, isEncrypted, sealedAt: this.#now(), uploadId });
    this.#staged.delete(uploadId);
    return location;
  }

  #read(location: BlobLocation, range: ByteRange | undefined, dataKey?: Uint8Array): BlobReader | undefined {
    const sealed = this.#sealed.get(location);
    if (sealed === undefined) return undefined;
    const { first, last } = range ?? { first: 0, last: sealed.bytes - 1 };
    if (range !== undefined && !(first >= 0 && first <= last && last < sealed.bytes)) {
      throw new RangeError(`Bytes ${first} to ${last} are not within a blob of ${sealed.bytes} bytes`);
    }
    if (sealed.isEncrypted !== (dataKey !== undefined)) {
      throw new TypeError(`The bytes at ${location} are ${sealed.isEncrypted ? '' : 'not '}encrypted`);
    }
    const plain = dataKey === undefined ? sealed.content : decryptWhole(sealed.content, dataKey, location);
    return readerOf(plain.subarray(first, last + 1));
  }

  #append(uploadId: string, chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    const staged = this.#staged.get(uploadId) ?? { chunks: [], bytes: 0, changedAt: this.#now() };
    // Copied: a pooled chunk would keep the memory it shares.
    staged.chunks.push(new Uint8Array(chunk));
    staged.bytes += chunk.byteLength;
    staged.changedAt = this.#now();
    this.#staged.set(uploadId, staged);
  }

  #content(uploadId: string): Uint8Array {
    return Buffer.concat(this.#staged.get(uploadId)?.chunks ?? []);
  }
}

/** Gives copies too; what is appended later is added to the same chunks. */
function followerOf(chunks: readonly Uint8Array[], offset: number): StagedFollower {
  let at = 0;
  let skip = offset;
  return {
    async next() {
      for (; ; at++) {
        const chunk = chunks[at];
        if (chunk === undefined) return undefined;
        if (skip < chunk.byteLength) break;
        skip -= chunk.byteLength;
      }
      const rest = chunks[at++]?.slice(skip);
      skip = 0;
      return rest;
    },
    recycle() {},
    async [Symbol.asyncDispose]() {},
  };
}

const CHUNK_BYTES = 256 * 1024;

/** Gives copies, so that a consumer may do with its chunks what it likes. */
function readerOf(content: Uint8Array): BlobReader {
  let at = 0;
  let disposed = false;
  return {
    bytes: content.byteLength,
    async next() {
      if (disposed) throw new Error('The reader was disposed of');
      if (at === content.byteLength) return undefined;
      const chunk = content.slice(at, at + CHUNK_BYTES);
      at += chunk.byteLength;
      return chunk;
    },
    recycle() {},
    async [Symbol.asyncDispose]() {
      disposed = true;
    },
  };
}
