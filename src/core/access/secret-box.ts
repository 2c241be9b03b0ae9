import { createCipheriv, createDecipheriv } from 'node:crypto';

/** Keeps secrets readable by this server alone: AES-256-GCM under the server's key. */
export interface SecretBox {
  /** @param context bound to the secret: it opens only with the same, so sealed secrets cannot be swapped */
  seal(secret: string, context: string): Uint8Array;
  /** Throws when the key is not the one that sealed, or anything was altered. */
  open(sealed: Uint8Array, context: string): string;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param key 32 bytes */
export function createSecretBox(key: Uint8Array, randomBytes: (length: number) => Uint8Array): SecretBox {
  return {
    seal(secret, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const body = NONCE_BYTES + TAG_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(NONCE_BYTES, body));
      return decipher.update(bytes.subarray(body), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}
