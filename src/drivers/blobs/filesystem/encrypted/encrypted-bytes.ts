import type { BlobLocation, BlobReader, ByteRange, KeptBytes } from '../../../../core/blob-store.ts';
import { StagedOffsetError } from '../../../../core/blob-store.ts';
import type { Digest, DigestAlgorithm } from '../../../../core/values/digest.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { type DurableFolders, syncFolder } from '../folders.ts';
import type { IdleUploads } from '../idle-uploads.ts';
import { type BlobPaths, isEncryptedAt, uploadIdAt } from '../paths.ts';
import type { OpenContent } from '../sealed-reader.ts';
import { withStorageErrors } from '../storage-errors.ts';
import type { UploadWorkers } from '../upload-workers.ts';
import { CHUNK_BYTES, ChunkCipher } from './chunk-cipher.ts';
import { cutBack } from './cut-back.ts';
import { EncryptedAppender, type EncryptedMemory, type EncryptedTarget } from './encrypted-appender.ts';
import { encryptedContent, hashChunks } from './encrypted-content.ts';
import { followEncrypted } from './encrypted-follower.ts';
import { sealEncrypted } from './seal-encrypted.ts';
import { type EncryptedFacts, encryptedFacts, NOTHING_ENCRYPTED, readTail } from './staged-files.ts';

/** What the bytes of all keys have in common. */
export interface EncryptedStore {
  readonly paths: BlobPaths;
  readonly folders: DurableFolders;
  readonly workers: UploadWorkers;
  readonly buffers: BufferPool;
  readonly idle: IdleUploads<EncryptedMemory>;
  stat(location: BlobLocation): Promise<{ readonly bytes: number } | undefined>;
  read(location: BlobLocation, range: ByteRange | undefined, open: OpenContent): Promise<BlobReader | undefined>;
  discard(uploadId: string): Promise<void>;
}

/** The bytes that are encrypted under one data key. */
export function encryptedBytes(store: EncryptedStore, dataKey: Uint8Array): KeptBytes {
  const { paths, folders, idle, workers } = store;
  const targetOf = (uploadId: string): EncryptedTarget => {
    const chunkKey = { dataKey, uploadId };
    return {
      files: paths.encryptedStaged(uploadId),
      chunkKey,
      cipher: new ChunkCipher(chunkKey),
      workers,
      syncNames: () => syncFolder(paths.uploads),
      remember: (memory) => idle.remember(uploadId, memory),
      lose: () => store.discard(uploadId).catch(() => {}),
    };
  };
  const factsOf = (uploadId: string) => encryptedFacts(paths.encryptedStaged(uploadId));

  return {
    async appender(uploadId, offset) {
      const facts = (await factsOf(uploadId)) ?? NOTHING_ENCRYPTED;
      if (facts.bytes !== offset) throw new StagedOffsetError(facts.bytes, offset);
      const target = targetOf(uploadId);
      const tail = await readTail(target.files, target.cipher, facts);
      return new EncryptedAppender(target, takeMemory(idle, uploadId, facts), tail);
    },

    stagedBytes: async (uploadId) => (await factsOf(uploadId))?.bytes ?? 0,

    async digest(uploadId, algorithm) {
      const facts = (await factsOf(uploadId)) ?? NOTHING_ENCRYPTED;
      const target = targetOf(uploadId);
      const tail = await readTail(target.files, target.cipher, facts);
      const lane = algorithm === 'sha256' ? idle.peek(uploadId, facts)?.lane : undefined;
      if (lane !== undefined && lane.hashedBytes === facts.wholeChunks * CHUNK_BYTES) {
        const hex = await lane.sha256Hex(tail).catch(() => undefined);
        if (hex !== undefined) return `${algorithm}:${hex}`;
      }
      return `${algorithm}:${await hashStaged(workers, target, facts, tail, algorithm)}`;
    },

    async seal(uploadId: string, digest: Digest, bytes: number) {
      const { cipher } = targetOf(uploadId);
      const staged = await factsOf(uploadId);
      const sealing = { uploadId, digest, bytes, staged };
      const location = await withStorageErrors(() => sealEncrypted(paths, folders, cipher, sealing));
      if (location !== undefined) idle.forget(uploadId);
      return location;
    },

    followStaged(uploadId, offset) {
      const { files, cipher } = targetOf(uploadId);
      return followEncrypted(files, cipher, store.buffers, offset);
    },

    async truncate(uploadId, bytes) {
      const facts = await factsOf(uploadId);
      if (facts === undefined || facts.bytes <= bytes) return;
      idle.forget(uploadId);
      const { files, cipher } = targetOf(uploadId);
      await withStorageErrors(() => cutBack(files, paths.uploads, cipher, facts, bytes));
    },

    stat: (location) => store.stat(location),

    async read(location, range) {
      if (!isEncryptedAt(location)) throw new TypeError(`The bytes at ${location} are not encrypted`);
      const cipher = new ChunkCipher({ dataKey, uploadId: uploadIdAt(location) });
      return store.read(location, range, (handle, fileBytes) => encryptedContent(handle, fileBytes, cipher));
    },
  };
}

/** What is known of the staged bytes; a hash that does not cover exactly these is dropped. */
function takeMemory(idle: IdleUploads<EncryptedMemory>, uploadId: string, facts: EncryptedFacts): EncryptedMemory {
  const memory = idle.take(uploadId, facts);
  if (memory === undefined) return { facts, lane: undefined, nameSynced: false };
  if (memory.lane === undefined || memory.lane.hashedBytes === facts.wholeChunks * CHUNK_BYTES) return memory;
  memory.lane.release();
  return { ...memory, lane: undefined };
}

/** In a worker, unless there is little of it. */
function hashStaged(
  workers: UploadWorkers,
  { files, chunkKey }: EncryptedTarget,
  { wholeChunks }: EncryptedFacts,
  rest: Uint8Array,
  algorithm: DigestAlgorithm,
): Promise<string> {
  const chunks = { path: files.chunks, wholeChunks, chunkKey, rest };
  return wholeChunks > 4 ? workers.hashChunks(chunks, algorithm) : hashChunks(chunks, algorithm);
}
