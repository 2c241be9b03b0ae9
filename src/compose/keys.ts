import type { FolderConfig } from '../config/config.ts';
import type { KeyService } from '../core/encryption/key-service.ts';
import { createAwsKms } from '../drivers/keys/aws-kms.ts';
import { createNoKeys } from '../drivers/keys/no-keys.ts';

/**
 * The key service that the operator chose. A bucket asks for keys itself, and cannot be given those of this server.
 *
 * @param local the keys in the registry's own database
 */
export function chooseKeyService(
  { kms, bucket }: Pick<FolderConfig, 'kms' | 'bucket'>,
  local: KeyService,
): KeyService & Partial<Disposable> {
  if (kms.kind === 'aws') return createAwsKms(kms);
  return bucket === undefined ? local : createNoKeys(NO_LOCAL_KEYS);
}

const NO_LOCAL_KEYS =
  'Layers in a bucket are encrypted by the store, which does not know the keys of this server: name the key service of the store with --kms aws, or create the repository with encryption type AES256';
