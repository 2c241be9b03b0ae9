import type { BlobEncryption, ProtectedRepository } from '../encryption/blob-encryption.ts';
import { isMasterKeyId } from '../encryption/master-keys.ts';
import type { Protection } from '../encryption/protection.ts';
import type { Encryption } from '../repositories/repository-records.ts';
import { parseRepositoryArn } from '../values/registry.ts';
import { MoveError } from './move-error.ts';

/**
 * How a copy of bytes is kept: under the same key of the key service, bound to the same repository, or else as the target keeps
 * what is under no such key.
 *
 * @param protection of the original
 * @param uploadId of the copy
 * @returns undefined for as they come, which a master key of the original never becomes: see `protectionOfCopy`
 */
export async function protectLike(
  encryption: BlobEncryption,
  protection: Protection | undefined,
  uploadId: string,
): Promise<Protection | undefined> {
  if (protection === undefined || isMasterKeyId(protection.keyId)) return encryption.protect(UNDER_NO_KEY, uploadId);
  return encryption.protect(repositoryOf(protection), uploadId);
}

const UNDER_NO_KEY: ProtectedRepository = {
  registry: { accountId: '', region: '' },
  name: '',
  encryption: { encryptionType: 'AES256' },
};

/** Bytes under a key are bound to the ARN of the repository that they were pushed to, which may be gone. */
function repositoryOf(protection: Protection): ProtectedRepository {
  const found = parseRepositoryArn(protection.context['aws:ecr:arn'] ?? '');
  if (found === undefined) {
    throw new MoveError(`Bytes under ${protection.keyId} do not say what repository they are bound to`);
  }
  return { registry: found.registry, name: found.repositoryName, encryption: encryptionOf(protection) };
}

function encryptionOf(protection: Protection): Encryption {
  const { keyId: kmsKey } = protection;
  if (protection.kind === 'named-key') return { encryptionType: protection.encryptionType, kmsKey };
  return { encryptionType: protection.secondWrapped === undefined ? 'KMS' : 'KMS_DSSE', kmsKey };
}
