import { createHash } from 'node:crypto';
import { createSecretBox } from '../access/secret-box.ts';
import { RefusedError, refuse } from '../errors.ts';

/** Keys of the operator's, of which data keys of repositories with AES256 are sealed under the first. */
export interface MasterKeys {
  /** Undefined when there is none: such repositories are kept plain then. */
  readonly currentId: string | undefined;
  /** Whether a master key of that id is among these. */
  has(keyId: string): boolean;
  /** A data key sealed under the current master key, for one upload. */
  wrap(dataKey: Uint8Array, uploadId: string): Uint8Array;
  /** Refuses with kms when that master key is not among these, or does not open it. */
  unwrap(keyId: string, wrapped: Uint8Array, uploadId: string): Uint8Array;
}

/** @param keys of 32 bytes each, the current one first */
export function createMasterKeys(keys: readonly Uint8Array[], randomBytes: (length: number) => Uint8Array): MasterKeys {
  const known = keys.map((key) => ({ id: masterKeyId(key), box: createSecretBox(key, randomBytes) }));
  return {
    currentId: known[0]?.id,
    has: (keyId) => known.some(({ id }) => id === keyId),
    wrap(dataKey, uploadId) {
      const [current] = known;
      if (!current) throw new Error('There is no master key');
      return current.box.seal(Buffer.from(dataKey).toString('base64'), contextOf(uploadId));
    },
    unwrap(keyId, wrapped, uploadId) {
      const key = known.find(({ id }) => id === keyId);
      if (!key) {
        const reason = `These bytes are encrypted under ${keyId}, which is not among the master keys of this server: add its line to the file that --master-key-file names`;
        return refuse({ kind: 'kms', reason, kmsError: 'NotFoundException' });
      }
      try {
        return Buffer.from(key.box.open(wrapped, contextOf(uploadId)), 'base64');
      } catch (cause) {
        const reason = `The data key of these bytes is not one of ${keyId} for upload ${uploadId}`;
        throw new RefusedError({ kind: 'kms', reason, kmsError: 'InvalidCiphertextException' }, { cause });
      }
    },
  };
}

export function isMasterKeyId(keyId: string): boolean {
  return keyId.startsWith(MASTER_KEY_PREFIX);
}

/** What the id of every master key begins with, and no ARN does. */
export const MASTER_KEY_PREFIX = 'master-key/';

/** Tells keys apart, and nothing of what they are. */
function masterKeyId(key: Uint8Array): string {
  return `${MASTER_KEY_PREFIX}${createHash('sha256').update('gantry master key\n').update(key).digest('hex').slice(0, 16)}`;
}

function contextOf(uploadId: string): string {
  return `data key of upload ${uploadId}`;
}
