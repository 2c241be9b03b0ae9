import { createHash, type Hash } from 'node:crypto';
import {
  type BlobAppender,
  type BlobLocation,
  type BlobReader,
  type BlobStore,
  type ByteRange,
  type Encrypting,
  type SealedBlob,
  StagedOffsetError,
  type StagedUpload,
} from '../../../core/blob-store.ts';
import { type Digest, type DigestAlgorithm, digestOf } from '../../../core/values/digest.ts';
import { assemble } from './assemble.ts';
import { type Bucket, openBucket } from './bucket.ts';
import type { S3Place } from './client.ts';
import { cutBack } from './cut-back.ts';
import {
  bytesKey,
  dataFolder,
  dataKey,
  locationOf,
  READY_KEY,
  requireSealed,
  SEALED,
  sealedAt,
  sealedFolder,
  stagedKey,
} from './keys.ts';
import { listSealed, listStaged } from './listing.ts';
import { describeTrouble, unlessMissing } from './s3-errors.ts';
import { openSealed } from './sealed-reader.ts';
import { StagedAppender } from './staged-appender.ts';
import { bytesOf, type ObjectBase } from './staged-state.ts';
import { type Staged, StagedUploads } from './staged-uploads.ts';
import { verifiedReader } from './verified-reader.ts';

export interface S3BlobStoreOptions extends S3Place {
  /** Whether clients may be sent to the store for their downloads. */
  readonly links: boolean;
}

/**
 * Opens a store in a bucket; `keys.ts` draws what lies where. Nothing is kept on this machine: any number of servers may work
 * on a bucket, and go on with each other's uploads.
 *
 * @throws Error that says what to do, when the bucket cannot be reached, is not there, or may not be read
 */
export async function openS3BlobStore(options: S3BlobStoreOptions): Promise<BlobStore> {
  const bucket = await openBucket(options);
  try {
    await bucket.probe();
    // Whether it encrypts only an object tells.
    if (options.sse !== undefined) await bucket.put(READY_KEY, Buffer.from('ready\n'));
  } catch (error) {
    bucket[Symbol.dispose]();
    throw new Error(describeTrouble(error, options), { cause: error });
  }
  return new S3BlobStore(bucket, options.links);
}

class S3BlobStore implements BlobStore {
  readonly downloadUrl?: (location: BlobLocation, expiresSeconds: number) => Promise<string>;
  readonly encrypting: Encrypting;
  readonly #bucket: Bucket;
  readonly #uploads: StagedUploads;

  constructor(bucket: Bucket, links: boolean, uploads = new StagedUploads(bucket)) {
    this.#bucket = bucket;
    this.#uploads = uploads;
    this.encrypting = {
      by: 'named-keys',
      under(key) {
        const inside = bucket.under(key);
        return new S3BlobStore(inside, links, uploads.inside(inside));
      },
    };
    if (links) this.downloadUrl = (location, expiresSeconds) => bucket.link(bytesKey(location), expiresSeconds);
  }

  async appender(uploadId: string, offset: number): Promise<BlobAppender> {
    const staged = await this.#uploads.latest(uploadId, offset);
    const bytes = staged === undefined ? 0 : bytesOf(staged.state);
    if (bytes !== offset) throw new StagedOffsetError(bytes, offset);
    return new StagedAppender({ uploadId, bucket: this.#bucket, uploads: this.#uploads }, staged, bytes);
  }

  async stagedBytes(uploadId: string): Promise<number> {
    const staged = await this.#uploads.load(uploadId);
    return staged === undefined ? 0 : bytesOf(staged.state);
  }

  /** S3 gives nothing of a multipart upload: what this node did not see come is made an object first, and read. */
  async digest(uploadId: string, algorithm: DigestAlgorithm): Promise<Digest> {
    const staged = await this.#uploads.latest(uploadId);
    if (staged === undefined) return digestOf(new Uint8Array(), algorithm);
    if (algorithm === 'sha256' && staged.hash !== undefined) {
      return `sha256:${staged.hash.copy().digest('hex')}`;
    }
    if (staged.state.base === undefined) return digestOf(staged.tail, algorithm);
    const base = await this.#makeReadable(uploadId, staged);
    const hash = createHash(algorithm);
    await this.#hashObject(hash, dataKey(uploadId, base.name), base.bytes);
    if (algorithm === 'sha256') this.#uploads.learn(uploadId, hash);
    return `${algorithm}:${hash.copy().digest('hex')}`;
  }

  async readStaged(uploadId: string): Promise<BlobReader | undefined> {
    const staged = await this.#uploads.load(uploadId);
    if (staged === undefined || bytesOf(staged.state) === 0) return undefined;
    if (staged.state.base === undefined) return readerOf(staged.tail);
    const { name, bytes } = await this.#makeReadable(uploadId, staged);
    return openSealed(this.#bucket, dataKey(uploadId, name), { bytes, range: { first: 0, last: bytes - 1 } });
  }

  async seal(uploadId: string, digest: Digest, bytes: number): Promise<BlobLocation | undefined> {
    const staged = await this.#uploads.latest(uploadId, bytes);
    if (staged === undefined || bytesOf(staged.state) !== bytes) {
      const sealed = await this.#findSealed(uploadId, digest, bytes);
      if (sealed !== undefined || staged !== undefined || bytes !== 0) return sealed;
    }
    const location = await this.#sealStaged(uploadId, digest, staged);
    if (staged !== undefined) await this.#uploads.delete(uploadId);
    return location;
  }

  async truncate(uploadId: string, bytes: number): Promise<void> {
    const staged = await this.#uploads.latest(uploadId);
    if (staged === undefined || bytesOf(staged.state) <= bytes) return;
    if (bytes === 0) return this.discard(uploadId);
    const cut = await cutBack(this.#bucket, uploadId, staged, bytes);
    await this.#uploads.store(uploadId, { ...cut, hash: undefined }, staged);
  }

  /** Also what no state names: the remains of a node that died. */
  async discard(uploadId: string): Promise<void> {
    this.#uploads.forget(uploadId);
    const kept = new Set<string>();
    for await (const { key } of this.#bucket.list(sealedFolder(uploadId))) {
      const { name } = sealedAt(key.slice(SEALED.length)) ?? {};
      if (name !== undefined) kept.add(dataKey(uploadId, name));
    }
    const remains = [];
    for await (const { key } of this.#bucket.list(dataFolder(uploadId))) if (!kept.has(key)) remains.push(key);
    for await (const { key, id } of this.#bucket.multiparts(dataFolder(uploadId))) {
      await this.#bucket.abortMultipart(key, id);
    }
    // The state last: it is what makes a discard that was broken off be done again.
    await this.#bucket.delete(remains);
    await this.#bucket.delete([stagedKey(uploadId)]);
  }

  staged(): AsyncIterable<StagedUpload> {
    return listStaged(this.#bucket, this.#uploads);
  }

  async stat(location: BlobLocation): Promise<{ readonly bytes: number } | undefined> {
    const found = await this.#bucket.head(bytesKey(location));
    return found && { bytes: found.bytes };
  }

  async read(location: BlobLocation, range?: ByteRange): Promise<BlobReader | undefined> {
    const { bytes, digest } = requireSealed(location);
    const reader = await openSealed(this.#bucket, bytesKey(location), { bytes, range });
    return reader && range === undefined ? verifiedReader(reader, digest) : reader;
  }

  delete(location: BlobLocation): Promise<void> {
    return this.deleteMany([location]);
  }

  async deleteMany(locations: readonly BlobLocation[]): Promise<void> {
    // Names and bytes may go in any order: either without the other is a remain that the listings tell.
    await this.#bucket.delete(locations.flatMap((location) => [...new Set([SEALED + location, bytesKey(location)])]));
  }

  list(): AsyncIterable<SealedBlob> {
    return listSealed(this.#bucket);
  }

  async ready(): Promise<void> {
    await this.#bucket.put(READY_KEY, Buffer.from('ready\n'));
    if ((await unlessMissing(this.#bucket.read(READY_KEY))) === undefined) throw new Error('The store forgets objects');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bucket[Symbol.dispose]();
  }

  /** Makes one object of what is staged, and notes that; others may append to it afterwards. */
  async #makeReadable(uploadId: string, staged: Staged): Promise<ObjectBase> {
    const base = await assemble(this.#bucket, uploadId, staged);
    if (base !== staged.state.base) {
      await this.#uploads.store(uploadId, { base, tail: Buffer.alloc(0), hash: staged.hash }, staged);
    }
    return base;
  }

  async #findSealed(uploadId: string, digest: Digest, bytes: number): Promise<BlobLocation | undefined> {
    const start = SEALED + locationOf({ uploadId, digest, bytes, name: undefined });
    for await (const { key } of this.#bucket.list(start)) {
      const location = key.slice(SEALED.length);
      if (sealedAt(location)?.bytes === bytes) return location;
    }
    return undefined;
  }

  async #sealStaged(uploadId: string, digest: Digest, staged: Staged | undefined): Promise<BlobLocation> {
    const bytes = staged === undefined ? 0 : bytesOf(staged.state);
    if (staged?.state.base === undefined) {
      const location = locationOf({ uploadId, digest, bytes, name: undefined });
      await this.#bucket.put(SEALED + location, staged?.tail ?? new Uint8Array());
      return location;
    }
    const { name } = await assemble(this.#bucket, uploadId, staged);
    const location = locationOf({ uploadId, digest, bytes, name });
    await this.#bucket.put(SEALED + location, new Uint8Array());
    await this.#uploads.deleteFormer(uploadId, staged, name);
    return location;
  }

  async #hashObject(hash: Hash, key: string, bytes: number): Promise<void> {
    await using reader = await openSealed(this.#bucket, key, { bytes, range: { first: 0, last: bytes - 1 } });
    if (reader === undefined) throw new Error(`The staged bytes at ${key} are gone`);
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      hash.update(chunk);
      reader.recycle(chunk);
    }
  }
}

/** Of bytes that are in memory; gives a copy, since chunks are the caller's. */
function readerOf(content: Uint8Array): BlobReader {
  let rest: Uint8Array | undefined = Uint8Array.from(content);
  return {
    bytes: content.byteLength,
    async next() {
      const chunk = rest;
      rest = undefined;
      return chunk;
    },
    recycle() {},
    async [Symbol.asyncDispose]() {},
  };
}
