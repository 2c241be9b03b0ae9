import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { factsOf, type StagedFacts } from '../staged-facts.ts';
import { unlessMissing } from '../storage-errors.ts';
import { CHUNK_BYTES, type ChunkCipher, RECORD_BYTES, RECORD_OVERHEAD_BYTES } from './chunk-cipher.ts';

/**
 * The staged bytes of an encrypted upload are two files:
 *
 * - `chunks` is appended to and holds the records of whole chunks. What is behind the last whole record is the rest of a
 *   write that was cut short, or an end that was written by a seal that went no further: it counts for nothing.
 * - `tail` holds what there is of the next chunk, and that chunk's number before it. It counts only while `chunks` ends
 *   where it begins; once that chunk is whole it is in `chunks`, and the tail is a remnant. It is written as `newTail`
 *   and renamed.
 *
 * `chunks` is made first and removed last, so where it is missing nothing is staged. No record is ever written over by
 * another of the same nonce: each write draws its own. A crash may come
 *
 * - while `chunks` grows: the tail counts until its chunk is whole, and then the chunk counts, which begins with the same bytes;
 * - before `newTail` is renamed: as if the last append had ended at a whole chunk or, without one, not begun;
 * - between the two when bytes are cut off (`cutBack`): the tail of the shorter upload is written first and is a remnant until
 *   `chunks` is cut; what counts is at least what was to stay;
 * - while an upload is sealed (`sealEncrypted`): until the rename the end in `chunks` counts for nothing and the tail is there.
 *   After it the tail lies about alone, and is removed when the seal is repeated, or as an upload nobody knows.
 *
 * A tail that an answer may have acknowledged is replaced only when `chunks` and its successor are on disk.
 */
export interface StagedFiles {
  readonly chunks: string;
  readonly tail: string;
  readonly newTail: string;
}

export interface EncryptedFacts extends StagedFacts {
  readonly wholeChunks: number;
  readonly tailBytes: number;
  /** Size of the file `chunks`. */
  readonly fileBytes: number;
}

export const NOTHING_ENCRYPTED: EncryptedFacts = { bytes: 0, version: '', wholeChunks: 0, tailBytes: 0, fileBytes: 0 };

/** Undefined when nothing is staged. Needs no key. */
export async function encryptedFacts(files: StagedFiles): Promise<EncryptedFacts | undefined> {
  const stats = await unlessMissing(stat(files.chunks, { bigint: true }));
  if (stats === undefined) return undefined;
  const { version, bytes: fileBytes } = factsOf(stats);
  const wholeChunks = Math.floor(fileBytes / RECORD_BYTES);
  const tail = await tailFacts(files.tail, wholeChunks);
  const tailBytes = tail?.bytes ?? 0;
  const bytes = wholeChunks * CHUNK_BYTES + tailBytes;
  return { bytes, version: `${version} ${tail?.version ?? ''}`, wholeChunks, tailBytes, fileBytes };
}

/** What the tail holds, decrypted. */
export async function readTail(
  { tail }: StagedFiles,
  cipher: ChunkCipher,
  { wholeChunks, tailBytes }: Pick<EncryptedFacts, 'wholeChunks' | 'tailBytes'>,
): Promise<Buffer> {
  if (tailBytes === 0) return Buffer.alloc(0);
  await using handle = await open(tail, 'r');
  const record = Buffer.allocUnsafe(tailBytes + RECORD_OVERHEAD_BYTES);
  await readWholly(handle, record, PLACE_BYTES);
  return cipher.decrypt(record, wholeChunks, 'tail');
}

/** What the tail holds of a chunk, decrypted; undefined when it holds nothing of that one. */
export async function readTailOf(
  { tail }: StagedFiles,
  cipher: ChunkCipher,
  index: number,
): Promise<Buffer | undefined> {
  const content = await unlessMissing(readFile(tail));
  const isOfChunk = content && content.byteLength > PLACE_BYTES && content.readBigUInt64BE() === BigInt(index);
  return isOfChunk ? cipher.decrypt(content.subarray(PLACE_BYTES), index, 'tail') : undefined;
}

/** Puts a tail in the place of the one there is. @param synced whether its bytes, though not its name, are to be on disk then */
export async function writeTail(
  { tail, newTail }: StagedFiles,
  cipher: ChunkCipher,
  { index, plain, synced }: { index: number; plain: Uint8Array; synced: boolean },
): Promise<void> {
  const content = Buffer.allocUnsafe(PLACE_BYTES + plain.byteLength + RECORD_OVERHEAD_BYTES);
  content.writeBigUInt64BE(BigInt(index));
  cipher.encrypt(plain, index, 'tail', content.subarray(PLACE_BYTES));
  const handle = await open(newTail, 'w');
  try {
    await handle.writeFile(content);
    if (synced) await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(newTail, tail);
}

/** No error where there is nothing. */
export async function removeStaged({ chunks, tail, newTail }: StagedFiles): Promise<void> {
  for (const file of [newTail, tail, chunks]) await unlessMissing(rm(file));
}

/** Fills a buffer from a place in a file; rejects when the file ends before. */
export async function readWholly(handle: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let filled = 0; filled < buffer.byteLength; ) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.byteLength - filled, position + filled);
    if (bytesRead === 0) throw new Error(`The encrypted bytes end at ${position + filled}`);
    filled += bytesRead;
  }
}

/** The number of the chunk, before its record. */
const PLACE_BYTES = 8;

/** Undefined when there is no tail of that chunk. */
async function tailFacts(path: string, index: number): Promise<StagedFacts | undefined> {
  const handle = await unlessMissing(open(path, 'r'));
  if (handle === undefined) return undefined;
  try {
    const { bytes: fileBytes, version } = factsOf(await handle.stat({ bigint: true }));
    const bytes = fileBytes - PLACE_BYTES - RECORD_OVERHEAD_BYTES;
    const place = Buffer.alloc(PLACE_BYTES);
    await handle.read(place, 0, PLACE_BYTES, 0);
    return bytes > 0 && place.readBigUInt64BE() === BigInt(index) ? { bytes, version } : undefined;
  } finally {
    await handle.close();
  }
}
