import { createHash, randomBytes } from 'node:crypto';

const pieceBytes = 1024 * 1024;
const nonceBytes = 48;
const pool = Array.from({ length: 16 }, () => randomBytes(pieceBytes));

export interface Content {
  readonly bytes: number;
  readonly digest: string;
  /** The same bytes each time. */
  pieces(): Iterable<Buffer>;
}

/** Bytes nobody has seen: random megabytes in a fixed order, a new nonce at the head of each. Hashed here, before any clock runs. */
export function freshContent(bytes: number): Content {
  const nonces = randomBytes(Math.ceil(bytes / pieceBytes) * nonceBytes);
  function* pieces(): Generator<Buffer> {
    for (let at = 0, index = 0; at < bytes; at += pieceBytes, index++) {
      const piece = pool[index % pool.length]!.subarray(0, Math.min(pieceBytes, bytes - at));
      const nonce = nonces.subarray(index * nonceBytes, index * nonceBytes + Math.min(nonceBytes, piece.length));
      yield nonce;
      yield piece.subarray(nonce.length);
    }
  }
  const hash = createHash('sha256');
  for (const piece of pieces()) hash.update(piece);
  return { bytes, digest: `sha256:${hash.digest('hex')}`, pieces };
}
