import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BlobLocation } from '../../../core/blob-store.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type DurableFolders, syncFolder } from './folders.ts';
import { type BlobPaths, locationOf } from './paths.ts';
import type { StagedFacts } from './staged-facts.ts';
import { unlessMissing } from './storage-errors.ts';

export interface Sealing {
  readonly uploadId: string;
  readonly digest: Digest;
  readonly bytes: number;
  readonly staged: StagedFacts | undefined;
  /** Whether the staged bytes, but not their sealed name, are known to be on the disk. */
  readonly bytesSynced: boolean;
}

/**
 * fdatasync of the staged file, rename, fsync of the blob's folder: in this order, a crash at any point leaves either
 * the staged bytes or the whole sealed blob.
 *
 * @returns undefined when neither staged nor sealed bytes of that size exist
 */
export async function seal(
  paths: BlobPaths,
  folders: DurableFolders,
  { uploadId, digest, bytes, staged, bytesSynced }: Sealing,
): Promise<BlobLocation | undefined> {
  const location = locationOf(digest, uploadId);
  const stagedPath = paths.staged(uploadId);
  const sealedPath = paths.sealed(location);
  if (staged?.bytes !== bytes) {
    const sealed = await unlessMissing(stat(sealedPath));
    if (sealed?.size === bytes) {
      // The process that renamed it may have died before the name was on the disk.
      await folders.ensure(dirname(sealedPath));
      await syncFolder(dirname(sealedPath));
      return location;
    }
    if (staged !== undefined || bytes !== 0) return undefined;
  }
  if (staged === undefined) await createEmpty(stagedPath);
  else if (!bytesSynced) await syncFile(stagedPath);
  await folders.ensure(dirname(sealedPath));
  await rename(stagedPath, sealedPath).catch((error) => {
    folders.forget(dirname(sealedPath));
    throw error;
  });
  await syncFolder(dirname(sealedPath));
  return location;
}

/** Takes staged bytes and their size to the disk. */
async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.datasync().catch(async (error) => {
      // The system may have dropped the bytes it could not write, and would call the next sync a success.
      await rm(path, { force: true });
      throw error;
    });
  } finally {
    await handle.close();
  }
}

async function createEmpty(path: string): Promise<void> {
  const handle = await open(path, 'a');
  await handle.close();
}
