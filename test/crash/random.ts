import { createCipheriv, createHash } from 'node:crypto';

/** Numbers and bytes that follow from a seed alone. */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  bytes(length: number): Buffer;
  /** Numbers of its own for somebody who draws at times nobody can foretell. */
  fork(): Random;
}

export function seededRandom(seed: string): Random {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const bytes = (length: number) => stream.update(Buffer.alloc(length));
  const unit = () => bytes(4).readUInt32LE() / 2 ** 32;
  const below = (limit: number) => Math.floor(unit() * limit);
  return {
    below,
    chance: (probability) => unit() < probability,
    pick: <T>(items: readonly T[]) => items[below(items.length)] as T,
    bytes,
    fork: () => seededRandom(bytes(16).toString('hex')),
  };
}
