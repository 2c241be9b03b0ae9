import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { DigestAlgorithm } from '../../../../core/values/digest.ts';
import type { SealedContent } from '../sealed-reader.ts';
import { CHUNK_BYTES, ChunkCipher, type ChunkKey, freeOutput, RECORD_BYTES } from './chunk-cipher.ts';
import { sealedFileBytes, sealedPlainBytes } from './sealed-layout.ts';
import { readWholly } from './staged-files.ts';

/** How many chunks are read and decrypted at a time: others have their turn between. */
const CHUNKS_AT_ONCE = 4;

/** What is in a sealed file, decrypted. Rejects when no sealed file can have its size. */
export async function encryptedContent(
  handle: FileHandle,
  fileBytes: number,
  cipher: ChunkCipher,
): Promise<SealedContent> {
  const bytes = sealedPlainBytes(fileBytes);
  if (bytes === undefined) throw new Error(`The sealed file was cut: none of ${fileBytes} bytes is whole`);
  const endIndex = Math.floor(bytes / CHUNK_BYTES);
  const decrypt = (record: Buffer, index: number) =>
    cipher.decrypt(record, index, index === endIndex ? 'end' : 'whole');
  // An end that holds nothing is read by nobody, and a file that was cut before its end may look like one.
  if (bytes === endIndex * CHUNK_BYTES) {
    for (const record of await readRecords(handle, endIndex, endIndex, fileBytes)) decrypt(record, endIndex);
  }
  return {
    bytes,
    // Else the chunk at each border would be decrypted twice.
    alignedTo: CHUNK_BYTES,
    async fill(target, position) {
      const last = Math.floor((position + target.byteLength - 1) / CHUNK_BYTES);
      const readFrom = (first: number) =>
        first > last ? undefined : readRecords(handle, first, Math.min(last, first + CHUNKS_AT_ONCE - 1), fileBytes);
      let index = Math.floor(position / CHUNK_BYTES);
      for (let reading = readFrom(index); reading !== undefined; ) {
        const records = await reading;
        // Read while these are decrypted.
        reading = readFrom(index + records.length);
        reading?.catch(() => {});
        for (const record of records) {
          const at = index * CHUNK_BYTES - position;
          const plain = decrypt(record, index++);
          plain.copy(target, Math.max(0, at), Math.max(0, -at));
          freeOutput(plain);
        }
        freeRecords(records);
      }
    },
  };
}

/** They lie in one buffer, one after the other. */
function freeRecords([first]: readonly Buffer<ArrayBuffer>[]): void {
  first?.buffer.transfer(0);
}

async function readRecords(
  handle: FileHandle,
  first: number,
  last: number,
  fileBytes: number,
): Promise<Buffer<ArrayBuffer>[]> {
  const [start, end] = [first * RECORD_BYTES, Math.min((last + 1) * RECORD_BYTES, fileBytes)];
  const content = Buffer.allocUnsafeSlow(end - start);
  await readWholly(handle, content, start);
  const records: Buffer<ArrayBuffer>[] = [];
  for (let at = 0; at < content.byteLength; at += RECORD_BYTES) records.push(content.subarray(at, at + RECORD_BYTES));
  return records;
}

/** What a worker needs to hash staged bytes. */
export interface StagedChunks {
  readonly path: string;
  readonly wholeChunks: number;
  readonly chunkKey: ChunkKey;
  /** What comes after the whole chunks, decrypted. */
  readonly rest: Uint8Array;
}

/** Digest of staged bytes in hex. Rejects when a chunk does not open. */
export async function hashChunks(
  { path, wholeChunks, chunkKey, rest }: StagedChunks,
  algorithm: DigestAlgorithm,
): Promise<string> {
  const hash = createHash(algorithm);
  const cipher = new ChunkCipher(chunkKey);
  if (wholeChunks > 0) {
    await using handle = await open(path, 'r');
    for (let index = 0; index < wholeChunks; ) {
      const last = Math.min(index + CHUNKS_AT_ONCE, wholeChunks) - 1;
      for (const record of await readRecords(handle, index, last, sealedFileBytes(wholeChunks * CHUNK_BYTES))) {
        const plain = cipher.decrypt(record, index++, 'whole');
        hash.update(plain);
        freeOutput(plain);
      }
    }
  }
  return hash.update(rest).digest('hex');
}
