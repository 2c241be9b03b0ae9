import type { BlobLocation } from '../../../../core/blob-store.ts';
import { isEncryptedAt } from '../paths.ts';
import { CHUNK_BYTES, RECORD_BYTES, RECORD_OVERHEAD_BYTES } from './chunk-cipher.ts';

/** A sealed file is the records of its whole chunks and then that of its end: less than a chunk, nothing if need be. */
export function sealedFileBytes(plainBytes: number): number {
  const whole = Math.floor(plainBytes / CHUNK_BYTES);
  return whole * RECORD_BYTES + RECORD_OVERHEAD_BYTES + (plainBytes - whole * CHUNK_BYTES);
}

/** How many bytes a sealed file of that size holds; undefined when none can have it. */
export function sealedPlainBytes(fileBytes: number): number | undefined {
  const whole = Math.floor((fileBytes - RECORD_OVERHEAD_BYTES) / RECORD_BYTES);
  const end = fileBytes - RECORD_OVERHEAD_BYTES - whole * RECORD_BYTES;
  return fileBytes < RECORD_OVERHEAD_BYTES || end >= CHUNK_BYTES ? undefined : whole * CHUNK_BYTES + end;
}

/** How many bytes lie at a location whose file has that size; none for a file that was cut. */
export function sealedBytesAt(location: BlobLocation, fileBytes: number): number {
  return isEncryptedAt(location) ? (sealedPlainBytes(fileBytes) ?? 0) : fileBytes;
}
