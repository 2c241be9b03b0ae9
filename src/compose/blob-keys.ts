import { randomBytes, randomUUID } from 'node:crypto';
import type { FolderConfig } from '../config/config.ts';
import type { SecretBox } from '../core/access/secret-box.ts';
import type { KeyService } from '../core/encryption/key-service.ts';
import { createLocalKeyService } from '../core/encryption/local-key-service.ts';
import { createMasterKeys, type MasterKeys } from '../core/encryption/master-keys.ts';
import type { MetadataStore } from '../core/metadata-store.ts';
import { createNoKeys } from '../drivers/keys/no-keys.ts';
import { openSecretBox } from './access.ts';
import { chooseKeyService } from './keys.ts';
import { readMasterKeys } from './master-keys.ts';

/** The keys that bytes are encrypted under. */
export interface BlobKeys {
  readonly keys: KeyService;
  readonly masterKeys: MasterKeys;
}

/** Of commands that neither read nor write bytes. */
export const noBlobKeys: BlobKeys = {
  keys: createNoKeys('This command has no key service'),
  masterKeys: createMasterKeys([], randomBytes),
};

export type BlobKeysConfig = Pick<FolderConfig, 'kms' | 'bucket' | 'masterKeyFile'> & {
  readonly keyFile: string | undefined;
};

/** The key file is read when a key is first used: not every registry has keys. */
export async function openBlobKeys(
  { metadata }: { readonly metadata: MetadataStore },
  config: BlobKeysConfig,
): Promise<BlobKeys & Disposable> {
  const { keyFile, masterKeyFile } = config;
  let box: Promise<SecretBox> | undefined;
  const openBox = () => {
    box ??= openSecretBox(keyFile);
    return box;
  };
  const local = createLocalKeyService(
    { metadata, randomBytes, now: () => new Date(), newId: () => randomUUID() },
    openBox,
  );
  const keys = chooseKeyService(config, local);
  const lines = masterKeyFile === undefined ? [] : await readMasterKeys(masterKeyFile);
  return {
    keys,
    masterKeys: createMasterKeys(lines, randomBytes),
    [Symbol.dispose]: () => keys[Symbol.dispose]?.(),
  };
}
