import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const KEY_BYTES = 32;

/** Bytes under a data key: AES-256-GCM, for their location alone; once for each 32 bytes of the key. */
export function encryptWhole(content: Uint8Array, dataKey: Uint8Array, location: string): Uint8Array {
  if (dataKey.byteLength > KEY_BYTES) {
    const inner = encryptWhole(content, dataKey.subarray(KEY_BYTES), location);
    return encryptWhole(inner, dataKey.subarray(0, KEY_BYTES), location);
  }
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', dataKey, nonce).setAAD(Buffer.from(location));
  return Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the key is another one. */
export function decryptWhole(encrypted: Uint8Array, dataKey: Uint8Array, location: string): Uint8Array {
  if (dataKey.byteLength > KEY_BYTES) {
    const inner = decryptWhole(encrypted, dataKey.subarray(0, KEY_BYTES), location);
    return decryptWhole(inner, dataKey.subarray(KEY_BYTES), location);
  }
  const end = encrypted.byteLength - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', dataKey, encrypted.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(location))
    .setAuthTag(encrypted.subarray(end));
  return Buffer.concat([decipher.update(encrypted.subarray(NONCE_BYTES, end)), decipher.final()]);
}
