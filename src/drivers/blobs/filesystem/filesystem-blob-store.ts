import { access, constants, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type {
  BlobAppender,
  BlobLocation,
  BlobReader,
  BlobStore,
  ByteRange,
  Encrypting,
  SealedBlob,
  StagedFollower,
  StagedUpload,
} from '../../../core/blob-store.ts';
import { StagedOffsetError } from '../../../core/blob-store.ts';
import { type Digest, type DigestAlgorithm, digestOf } from '../../../core/values/digest.ts';
import { BufferPool } from './buffer-pool.ts';
import type { EncryptedMemory } from './encrypted/encrypted-appender.ts';
import { type EncryptedStore, encryptedBytes } from './encrypted/encrypted-bytes.ts';
import { sealedBytesAt } from './encrypted/sealed-layout.ts';
import { removeStaged } from './encrypted/staged-files.ts';
import { DurableFolders, makeRoot, syncFolder } from './folders.ts';
import { IdleUploads, type UploadMemory } from './idle-uploads.ts';
import { BATCH_BYTES } from './lane.ts';
import { listSealed, listStaged } from './listing.ts';
import type { Tier } from './move-sealed.ts';
import { BlobPaths, isEncryptedAt } from './paths.ts';
import { seal } from './seal.ts';
import { type OpenContent, openSealed, plainContent } from './sealed-reader.ts';
import { SealedTiers } from './sealed-tiers.ts';
import { type AppendTarget, StagedAppender } from './staged-appender.ts';
import { NOTHING_STAGED, type StagedFacts, stagedFacts } from './staged-facts.ts';
import { followStaged } from './staged-follower.ts';
import { unlessMissing, withStorageErrors } from './storage-errors.ts';
import { UploadWorkers } from './upload-workers.ts';

export interface FilesystemBlobStoreOptions {
  /** Made when missing. Staged and sealed bytes must lie on one file system. */
  readonly directory: string;
  /** Where bytes of archived images are taken, on another file system if need be; made when missing. They stay when left out. */
  readonly archiveDirectory?: string;
  /** Threads that hash and write large uploads; one for each core when left out: on a slow disk they wait more than they work. */
  readonly workers?: number;
}

/** Opens a store in a folder. `paths.ts` draws what lies where. */
export async function openFilesystemBlobStore(options: FilesystemBlobStoreOptions): Promise<BlobStore> {
  const paths = new BlobPaths(resolve(options.directory));
  const folders = new DurableFolders(paths.directory);
  await withStorageErrors(async () => {
    await makeRoot(paths.directory);
    await folders.ensure(paths.uploads);
    await folders.ensure(paths.blobs);
  });
  const { archiveDirectory } = options;
  const archive =
    archiveDirectory === undefined ? undefined : await openArchive(resolve(archiveDirectory), { paths, folders });
  const workers = new UploadWorkers(Math.max(1, options.workers ?? availableParallelism()));
  return new FilesystemBlobStore(paths, folders, workers, archive);
}

async function openArchive(directory: string, primary: Tier): Promise<Tier> {
  const archive = { paths: new BlobPaths(directory), folders: new DurableFolders(directory) };
  await withStorageErrors(async () => {
    await makeRoot(directory);
    await archive.folders.ensure(archive.paths.blobs);
    await archive.folders.ensure(archive.paths.moving);
    await primary.folders.ensure(primary.paths.moving);
  });
  const [one, other] = [await stat(primary.paths.blobs), await stat(archive.paths.blobs)];
  // A move ends with the deletion of what was moved: of the only copy there is, were the two folders one.
  if (one.dev === other.dev && one.ino === other.ino) {
    throw new Error(`The archive must be another folder than the store's own: ${directory}`);
  }
  return archive;
}

/** Running hashes kept between appends; an upload idle for longer is read once more when it completes. */
const IDLE_UPLOADS_MAX = 1000;

class FilesystemBlobStore implements BlobStore {
  readonly archive?: (location: BlobLocation) => Promise<boolean>;
  readonly restore?: (location: BlobLocation) => Promise<boolean>;
  readonly #paths: BlobPaths;
  readonly #folders: DurableFolders;
  readonly #workers: UploadWorkers;
  readonly #idle = new IdleUploads(IDLE_UPLOADS_MAX);
  readonly #buffers = new BufferPool();
  readonly #tiers: SealedTiers | undefined;
  readonly #idleEncrypted = new IdleUploads<EncryptedMemory>(IDLE_UPLOADS_MAX);
  readonly encrypting: Encrypting;

  constructor(paths: BlobPaths, folders: DurableFolders, workers: UploadWorkers, archive: Tier | undefined) {
    this.#paths = paths;
    this.#folders = folders;
    this.#workers = workers;
    const encrypted = this.#encryptedStore();
    this.encrypting = { by: 'data-keys', under: (dataKey) => encryptedBytes(encrypted, dataKey) };
    if (archive === undefined) return;
    const tiers = new SealedTiers({ paths, folders }, archive, this.#buffers);
    this.#tiers = tiers;
    this.archive = (location) => tiers.archive(location);
    this.restore = (location) => tiers.restore(location);
  }

  async appender(uploadId: string, offset: number): Promise<BlobAppender> {
    const facts = (await stagedFacts(this.#paths.staged(uploadId))) ?? NOTHING_STAGED;
    if (facts.bytes !== offset) throw new StagedOffsetError(facts.bytes, offset);
    return new StagedAppender(this.#appendTarget(uploadId), this.#takeMemory(uploadId, facts));
  }

  async stagedBytes(uploadId: string): Promise<number> {
    return (await stagedFacts(this.#paths.staged(uploadId)))?.bytes ?? 0;
  }

  async digest(uploadId: string, algorithm: DigestAlgorithm): Promise<Digest> {
    const path = this.#paths.staged(uploadId);
    const facts = (await stagedFacts(path)) ?? NOTHING_STAGED;
    const { bytes } = facts;
    const lane = algorithm === 'sha256' ? this.#idle.peek(uploadId, facts)?.lane : undefined;
    if (lane?.hashedBytes === bytes) {
      const hex = await lane.sha256Hex().catch(() => undefined);
      if (hex !== undefined) return `${algorithm}:${hex}`;
    }
    if (bytes > BATCH_BYTES) return `${algorithm}:${await this.#workers.hashFile(path, algorithm)}`;
    const small = await unlessMissing(readFile(path));
    return digestOf(small ?? new Uint8Array(), algorithm);
  }

  async seal(uploadId: string, digest: Digest, bytes: number): Promise<BlobLocation | undefined> {
    const staged = await stagedFacts(this.#paths.staged(uploadId));
    const bytesSynced = staged !== undefined && this.#idle.peek(uploadId, staged)?.bytesSynced === true;
    const location = await withStorageErrors(() =>
      seal(this.#paths, this.#folders, { uploadId, digest, bytes, staged, bytesSynced }),
    );
    if (location !== undefined) this.#idle.forget(uploadId);
    return location;
  }

  followStaged(uploadId: string, offset: number): Promise<StagedFollower | undefined> {
    return followStaged(this.#paths.staged(uploadId), this.#buffers, offset);
  }

  async truncate(uploadId: string, bytes: number): Promise<void> {
    const path = this.#paths.staged(uploadId);
    if ((await this.stagedBytes(uploadId)) <= bytes) return;
    this.#idle.forget(uploadId);
    await withStorageErrors(async () => {
      const handle = await open(path, 'r+');
      try {
        await handle.truncate(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
    });
  }

  async discard(uploadId: string): Promise<void> {
    this.#idle.forget(uploadId);
    this.#idleEncrypted.forget(uploadId);
    await unlessMissing(rm(this.#paths.staged(uploadId)));
    await removeStaged(this.#paths.encryptedStaged(uploadId));
  }

  staged(): AsyncIterable<StagedUpload> {
    return listStaged(this.#paths);
  }

  async stat(location: BlobLocation): Promise<{ readonly bytes: number } | undefined> {
    if (this.#tiers) return this.#tiers.stat(location);
    const facts = await unlessMissing(stat(this.#paths.sealed(location)));
    return facts === undefined ? undefined : { bytes: sealedBytesAt(location, facts.size) };
  }

  async read(location: BlobLocation, range?: ByteRange): Promise<BlobReader | undefined> {
    if (isEncryptedAt(location)) throw new TypeError(`The bytes at ${location} are encrypted, and no key was named`);
    return this.#read(location, range, plainContent);
  }

  async delete(location: BlobLocation): Promise<void> {
    if (this.#tiers) return this.#tiers.delete(location);
    await unlessMissing(rm(this.#paths.sealed(location)));
  }

  list(): AsyncIterable<SealedBlob> {
    return this.#tiers?.list() ?? listSealed(this.#paths);
  }

  async ready(): Promise<void> {
    await withStorageErrors(async () => {
      await access(this.#paths.blobs, constants.R_OK | constants.W_OK | constants.X_OK);
      await writeFile(this.#paths.readyFile, 'ready\n');
      await rm(this.#paths.readyFile, { force: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workers[Symbol.asyncDispose]();
  }

  async #read(location: BlobLocation, range: ByteRange | undefined, openContent: OpenContent) {
    if (this.#tiers) return this.#tiers.read(location, range, openContent);
    return openSealed(this.#paths.sealed(location), this.#buffers, range, openContent);
  }

  #encryptedStore(): EncryptedStore {
    return {
      paths: this.#paths,
      folders: this.#folders,
      workers: this.#workers,
      buffers: this.#buffers,
      idle: this.#idleEncrypted,
      stat: (location) => this.stat(location),
      read: (location, range, openContent) => this.#read(location, range, openContent),
      discard: (uploadId) => this.discard(uploadId),
    };
  }

  #appendTarget(uploadId: string): AppendTarget {
    return {
      path: this.#paths.staged(uploadId),
      workers: this.#workers,
      syncNames: () => syncFolder(this.#paths.uploads),
      remember: (memory) => this.#idle.remember(uploadId, memory),
      lose: () => this.discard(uploadId).catch(() => {}),
    };
  }

  /** What is known of the staged bytes; a hash that does not cover exactly these is dropped. */
  #takeMemory(uploadId: string, facts: StagedFacts): UploadMemory {
    const memory = this.#idle.take(uploadId, facts);
    if (memory === undefined) return { facts, lane: undefined, bytesSynced: false, nameSynced: false };
    if (memory.lane === undefined || memory.lane.hashedBytes === facts.bytes) return memory;
    memory.lane.release();
    return { ...memory, lane: undefined };
  }
}
