import { constants } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BlobLocation } from '../../../../core/blob-store.ts';
import type { Digest } from '../../../../core/values/digest.ts';
import { type DurableFolders, syncFolder } from '../folders.ts';
import { type BlobPaths, locationOf } from '../paths.ts';
import { unlessMissing } from '../storage-errors.ts';
import { type ChunkCipher, RECORD_BYTES, RECORD_OVERHEAD_BYTES } from './chunk-cipher.ts';
import { sealedFileBytes } from './sealed-layout.ts';
import { type EncryptedFacts, NOTHING_ENCRYPTED, readTail, type StagedFiles } from './staged-files.ts';

export interface EncryptedSealing {
  readonly uploadId: string;
  readonly digest: Digest;
  readonly bytes: number;
  readonly staged: EncryptedFacts | undefined;
}

/**
 * The end is written behind the whole chunks, then fdatasync, rename and fsync of the blob's folder; the tail goes last. See
 * `StagedFiles` for what a crash leaves.
 *
 * @returns undefined when neither staged nor sealed bytes of that size exist
 */
export async function sealEncrypted(
  paths: BlobPaths,
  folders: DurableFolders,
  cipher: ChunkCipher,
  { uploadId, digest, bytes, staged }: EncryptedSealing,
): Promise<BlobLocation | undefined> {
  const location = locationOf(digest, uploadId, 'encrypted');
  const files = paths.encryptedStaged(uploadId);
  const sealedPath = paths.sealed(location);
  if (staged?.bytes !== bytes) {
    const sealed = await unlessMissing(stat(sealedPath));
    if (sealed?.size === sealedFileBytes(bytes)) {
      // The process that renamed it may have died before the name was on the disk.
      await folders.ensure(dirname(sealedPath));
      await syncFolder(dirname(sealedPath));
      await removeTails(files);
      return location;
    }
    if (staged !== undefined || bytes !== 0) return undefined;
  }
  await writeEnd(files, cipher, staged ?? NOTHING_ENCRYPTED);
  await folders.ensure(dirname(sealedPath));
  await rename(files.chunks, sealedPath).catch((error) => {
    folders.forget(dirname(sealedPath));
    throw error;
  });
  await syncFolder(dirname(sealedPath));
  await removeTails(files);
  return location;
}

/** Makes a sealed file of the whole chunks, on the disk when this resolves. What was written of an end before is written over. */
async function writeEnd(files: StagedFiles, cipher: ChunkCipher, staged: EncryptedFacts): Promise<void> {
  const plain = await readTail(files, cipher, staged);
  const record = Buffer.allocUnsafe(plain.byteLength + RECORD_OVERHEAD_BYTES);
  cipher.encrypt(plain, staged.wholeChunks, 'end', record);
  const position = staged.wholeChunks * RECORD_BYTES;
  const handle = await open(files.chunks, constants.O_RDWR | constants.O_CREAT);
  try {
    if (staged.fileBytes > position) await handle.truncate(position);
    for (let done = 0; done < record.byteLength; ) {
      done += (await handle.write(record, done, record.byteLength - done, position + done)).bytesWritten;
    }
    await handle.datasync().catch(async (error) => {
      // The system may have dropped the bytes it could not write, and would call the next sync a success.
      await rm(files.chunks, { force: true });
      throw error;
    });
  } finally {
    await handle.close();
  }
}

async function removeTails({ tail, newTail }: StagedFiles): Promise<void> {
  for (const file of [newTail, tail]) await unlessMissing(rm(file));
}
