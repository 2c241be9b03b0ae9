import { open, rm } from 'node:fs/promises';
import { syncFolder } from '../folders.ts';
import { unlessMissing } from '../storage-errors.ts';
import { CHUNK_BYTES, type ChunkCipher, RECORD_BYTES } from './chunk-cipher.ts';
import { type EncryptedFacts, readTail, readWholly, type StagedFiles, writeTail } from './staged-files.ts';

/** Cuts staged bytes back to a smaller size, durably: first the tail is as it is to be, then the chunks behind it go. */
export async function cutBack(
  files: StagedFiles,
  folder: string,
  cipher: ChunkCipher,
  facts: EncryptedFacts,
  bytes: number,
): Promise<void> {
  const index = Math.floor(bytes / CHUNK_BYTES);
  const tailBytes = bytes - index * CHUNK_BYTES;
  if (tailBytes === 0) await unlessMissing(rm(files.tail));
  else {
    const chunk = await readChunk(files, cipher, facts, index);
    await writeTail(files, cipher, { index, plain: chunk.subarray(0, tailBytes), synced: true });
  }
  await syncFolder(folder);
  await using handle = await open(files.chunks, 'r+');
  await handle.truncate(index * RECORD_BYTES);
  await handle.sync();
}

async function readChunk(files: StagedFiles, cipher: ChunkCipher, facts: EncryptedFacts, index: number) {
  if (index === facts.wholeChunks) return readTail(files, cipher, facts);
  await using handle = await open(files.chunks, 'r');
  const record = Buffer.allocUnsafeSlow(RECORD_BYTES);
  await readWholly(handle, record, index * RECORD_BYTES);
  return cipher.decrypt(record, index, 'whole');
}
