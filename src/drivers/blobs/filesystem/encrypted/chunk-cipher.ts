import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';

/** What is encrypted at a time: a grid, so that a range is found without reading what is before it. */
export const CHUNK_BYTES = 64 * 1024;

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What a record is longer than the chunk in it. */
export const RECORD_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;
/** A whole chunk as it lies on disk: nonce, ciphertext, tag. */
export const RECORD_BYTES = CHUNK_BYTES + RECORD_OVERHEAD_BYTES;

/** `whole` and `end` are the records of a sealed file; a `tail` is what staged bytes have of a chunk that is not whole yet. */
export type ChunkKind = 'whole' | 'end' | 'tail';

const KIND_MARKS: Record<ChunkKind, number> = { whole: 0, end: 1, tail: 2 };

/** What chunks of one upload are encrypted with. */
export interface ChunkKey {
  /** 32 bytes; 64 for two layers. */
  readonly dataKey: Uint8Array;
  readonly uploadId: string;
}

/**
 * Encrypts chunks with AES-256-GCM, each under a nonce of its own that is drawn when it is written. The upload, the chunk's
 * place and its kind are authenticated with it, so that a record opens nowhere else: not at another place, not in another
 * file, and none but the end as the end. With two keys what AES-256-GCM encrypts is AES-256-CTR's output under the second:
 * neither key alone opens anything.
 */
export class ChunkCipher {
  readonly #key: KeyObject;
  readonly #secondKey: KeyObject | undefined;
  readonly #context: Buffer;

  constructor({ dataKey, uploadId }: ChunkKey) {
    this.#key = createSecretKey(dataKey.subarray(0, KEY_BYTES));
    const second = dataKey.subarray(KEY_BYTES);
    if (second.byteLength > 0) this.#secondKey = createSecretKey(second);
    // A second key that is another one would give other bytes, and nothing else would say so.
    const secondTold = createHash('sha256').update(second).digest('hex');
    this.#context = Buffer.from(`gantry chunk 1 ${uploadId.toLowerCase()} ${secondTold} `);
  }

  /** Writes the record of a chunk into a target. @returns how long the record is */
  encrypt(plain: Uint8Array, index: number, kind: ChunkKind, target: Buffer): number {
    const nonce = target.subarray(0, NONCE_BYTES);
    randomFillSync(nonce);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(this.#associated(index, kind));
    const once = this.#secondLayer(plain, nonce);
    const encrypted = cipher.update(once);
    const end = NONCE_BYTES + encrypted.copy(target, NONCE_BYTES);
    freeOutput(encrypted);
    if (once !== plain) freeOutput(once);
    cipher.final();
    return end + cipher.getAuthTag().copy(target, end);
  }

  /** What a record holds; `freeOutput` gives its memory back. Throws when it is not the record of that place, or anything in it was altered. */
  decrypt(record: Buffer, index: number, kind: ChunkKind): Buffer {
    const end = record.byteLength - TAG_BYTES;
    if (end < NONCE_BYTES) throw new DamagedChunkError(index);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, record.subarray(0, NONCE_BYTES))
      .setAAD(this.#associated(index, kind))
      .setAuthTag(record.subarray(end));
    const plain = decipher.update(record.subarray(NONCE_BYTES, end));
    try {
      decipher.final();
    } catch (cause) {
      throw new DamagedChunkError(index, { cause });
    }
    const whole = this.#secondLayer(plain, record.subarray(0, NONCE_BYTES));
    if (whole !== plain) freeOutput(plain);
    return whole;
  }

  /** The records of consecutive whole chunks. @param plain a multiple of CHUNK_BYTES */
  encryptWhole(plain: Uint8Array, firstIndex: number): Buffer<ArrayBuffer> {
    const count = plain.byteLength / CHUNK_BYTES;
    const records = Buffer.allocUnsafeSlow(count * RECORD_BYTES);
    for (let at = 0; at < count; at++) {
      const chunk = plain.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES);
      this.encrypt(chunk, firstIndex + at, 'whole', records.subarray(at * RECORD_BYTES));
    }
    return records;
  }

  /** On and off are the same: a stream of key bytes that begins with the nonce and a counter of blocks at 0. */
  #secondLayer<Content extends Uint8Array>(content: Content, nonce: Uint8Array): Content | Buffer {
    if (this.#secondKey === undefined) return content;
    return createCipheriv('aes-256-ctr', this.#secondKey, Buffer.concat([nonce, Buffer.alloc(4)])).update(content);
  }

  #associated(index: number, kind: ChunkKind): Buffer {
    const place = Buffer.allocUnsafe(9);
    place.writeBigUInt64BE(BigInt(index));
    place.writeUInt8(KIND_MARKS[kind], 8);
    return Buffer.concat([this.#context, place]);
  }
}

/** Gives the memory of what was encrypted or decrypted back at once: left to the garbage collector it costs thrice the work. */
export function freeOutput({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** A record does not open: it was altered, lies elsewhere than it was written, or was written under another data key. */
export class DamagedChunkError extends Error {
  constructor(index: number, options?: ErrorOptions) {
    super(`Encrypted chunk ${index} does not open: it is damaged, or the key is another one`, options);
    this.name = 'DamagedChunkError';
  }
}
