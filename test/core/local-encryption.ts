import { randomBytes, randomUUID } from 'node:crypto';
import { createSecretBox } from '../../src/core/access/secret-box.ts';
import type { CoreDependencies } from '../../src/core/dependencies.ts';
import { type BlobEncryption, createBlobEncryption } from '../../src/core/encryption/blob-encryption.ts';
import { createKmsKeys, type KmsKeys } from '../../src/core/encryption/kms-keys.ts';
import { createLocalKeyService } from '../../src/core/encryption/local-key-service.ts';
import { createMasterKeys } from '../../src/core/encryption/master-keys.ts';

/** As of one key file, which all servers of a test have. */
const box = createSecretBox(randomBytes(32), randomBytes);
const openBox = async () => box;
const chance = { newId: () => randomUUID() as string, randomBytes: (length: number) => randomBytes(length) };

/** Encryption under keys of the local key service, and under master keys when there are any. */
export function localEncryption(
  { metadata, blobs, now }: Pick<CoreDependencies, 'metadata' | 'blobs' | 'now'>,
  masterKeys: readonly Uint8Array[] = [],
): BlobEncryption {
  return createBlobEncryption({
    blobs,
    keys: createLocalKeyService({ metadata, now, ...chance }, openBox),
    masterKeys: createMasterKeys(masterKeys, randomBytes),
    randomBytes: chance.randomBytes,
  });
}

/** What administers those keys. */
export function kmsKeysOver({ metadata, now }: Pick<CoreDependencies, 'metadata' | 'now'>): KmsKeys {
  return createKmsKeys({ metadata, now, ...chance }, openBox);
}
