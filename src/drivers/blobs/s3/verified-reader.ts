import { createHash } from 'node:crypto';
import type { BlobReader } from '../../../core/blob-store.ts';
import { algorithmOf, type Digest, hexOf } from '../../../core/values/digest.ts';

/** Gives a whole blob, its last chunk only when all of them have the digest: much lies between a store and whoever reads. */
export function verifiedReader(reader: BlobReader, digest: Digest): BlobReader {
  const hash = createHash(algorithmOf(digest));
  let left = reader.bytes;
  return {
    bytes: reader.bytes,
    async next() {
      const chunk = await reader.next();
      if (chunk === undefined) return undefined;
      hash.update(chunk);
      left -= chunk.byteLength;
      if (left === 0 && hash.digest('hex') !== hexOf(digest)) {
        throw new Error(`The store sent other bytes than those of ${digest}`);
      }
      return chunk;
    },
    recycle: (chunk) => reader.recycle(chunk),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}
