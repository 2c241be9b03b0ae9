import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CoreDependencies } from '../dependencies.ts';
import type { SigningKey, SigningPurpose } from './signing-key-records.ts';

/**
 * Signs texts with keys that live in the metadata store, so that what one process signed survives it and counts on every
 * node. The newest key signs, all of them verify.
 */
export interface Keyring {
  sign(text: string): Promise<{ keyId: string; signature: string }>;
  verify(keyId: string, text: string, signature: string): Promise<boolean>;
  /** Bytes that follow from a text and a key, the newest when none is named; undefined when the key is not known. */
  derive(text: string, keyId?: string): Promise<{ keyId: string; bytes: Buffer } | undefined>;
}

/** A key that is not known is looked up again at most this often, so that made-up ids cost nothing. */
const RELOAD_INTERVAL_MS = 1000;

export function createKeyring(
  { metadata, now, newId, randomBytes }: CoreDependencies,
  purpose: SigningPurpose,
): Keyring {
  let keys: readonly SigningKey[] = [];
  let reloadedAt = -Infinity;
  let reloading: Promise<void> | undefined;

  /** Who comes meanwhile waits for the same answer. A reload that failed does not count: its key may be a good one. */
  const reload = () => {
    reloading ??= metadata.read.signingKeys
      .all(purpose)
      .then((all) => {
        keys = all;
        reloadedAt = now().getTime();
      })
      .finally(() => {
        reloading = undefined;
      });
    return reloading;
  };

  const make = () =>
    metadata.transaction('registry', async (records) => {
      const [present] = await records.signingKeys.all(purpose);
      if (present) return present;
      const key = { id: newId().slice(0, 8), purpose, secret: randomBytes(32), createdAt: now() };
      await records.signingKeys.insert(key);
      return key;
    });

  const signingKey = async () => {
    if (keys.length === 0) await reload();
    if (keys.length === 0) keys = [await make()];
    return keys[0]!;
  };

  const knownKey = async (keyId: string) => {
    const known = () => keys.find((key) => key.id === keyId);
    if (!known() && now().getTime() - reloadedAt > RELOAD_INTERVAL_MS) await reload();
    return known();
  };

  return {
    async sign(text) {
      const key = await signingKey();
      return { keyId: key.id, signature: hmac(key, text).toString('base64url') };
    },
    async verify(keyId, text, signature) {
      const key = await knownKey(keyId);
      if (!key) return false;
      const given = Buffer.from(signature, 'base64url');
      const expected = hmac(key, text);
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
    async derive(text, keyId) {
      const key = keyId === undefined ? await signingKey() : await knownKey(keyId);
      return key && { keyId: key.id, bytes: hmac(key, text) };
    },
  };
}

function hmac(key: SigningKey, text: string): Buffer {
  return createHmac('sha256', key.secret).update(`${key.purpose}\n${text}`).digest();
}
