import { createHash, randomBytes } from 'node:crypto';
import type { BlobReader } from '../../src/core/blob-store.ts';
import type { BlobSource } from '../../src/core/upstreams/upstream.ts';
import { type Digest, digestOf } from '../../src/core/values/digest.ts';

const MEGABYTE = 1024 * 1024;
/** What `largeSource` gives. */
export const LAYER_BYTES = 64 * MEGABYTE;

/** Repeated, each time with its number at its beginning. */
const block = randomBytes(MEGABYTE);
function chunkAt(offset: number, bytes: number): Buffer {
  const chunk = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; ) {
    const within = (offset + at) % MEGABYTE;
    const numbered = Buffer.from(block);
    numbered.writeUInt32BE(Math.floor((offset + at) / MEGABYTE));
    at += numbered.copy(chunk, at, within);
  }
  return chunk;
}

/** A blob that nothing holds in memory. */
export function largeSource(): BlobSource {
  const hash = createHash('sha256');
  for (let at = 0; at < LAYER_BYTES; at += MEGABYTE) hash.update(chunkAt(at, MEGABYTE));
  return {
    digest: `sha256:${hash.digest('hex')}`,
    bytes: LAYER_BYTES,
    read: async ({ first, last }) => largeReader(first, last + 1),
  };
}

/** Bytes of the large blob. */
export function largeReader(first: number, end: number): BlobReader {
  let at = first;
  return {
    bytes: end - first,
    async next() {
      if (at === end) return undefined;
      const chunk = chunkAt(at, Math.min(MEGABYTE, end - at));
      at += chunk.byteLength;
      return chunk;
    },
    recycle() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** A blob in memory. */
export function sourceOf(bytes: Buffer): BlobSource {
  let isRead = false;
  const next = async () => {
    if (isRead) return undefined;
    isRead = true;
    return bytes;
  };
  const reader = { bytes: bytes.length, next, recycle() {}, async [Symbol.asyncDispose]() {} };
  return { digest: digestOf(bytes), bytes: bytes.length, read: async () => reader };
}

/** Reads to the end and disposes. @returns with the most memory that buffers took meanwhile */
export async function digestFrom(reader: BlobReader): Promise<{ digest: Digest; bytes: number; memoryMax: number }> {
  await using given = reader;
  const hash = createHash('sha256');
  let bytes = 0;
  let memoryMax = 0;
  for (let chunk = await given.next(); chunk !== undefined; chunk = await given.next()) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    const { external, arrayBuffers } = process.memoryUsage();
    memoryMax = Math.max(memoryMax, external, arrayBuffers);
  }
  return { digest: `sha256:${hash.digest('hex')}`, bytes, memoryMax };
}
