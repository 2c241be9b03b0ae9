import { createSecretBox, type SecretBox } from '../access/secret-box.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { Registry } from '../values/registry.ts';
import { type EncryptionContext, type KeyService, KeyServiceError } from './key-service.ts';
import { parseKmsArn, REGISTRY_KEY_ALIAS } from './kms-key-names.ts';
import type { KmsKey } from './kms-key-records.ts';
import { contextOf, createKmsKeys, isGone } from './kms-keys.ts';

const DATA_KEY_BYTES = 32;

export type LocalKeyParts = Pick<CoreDependencies, 'metadata' | 'now' | 'newId' | 'randomBytes'>;

/**
 * Keys in the registry's own database, sealed under its key file. Their state is read at each use, so that it counts at
 * once on every server.
 *
 * @param openBox the box of the key file; asked for when a key is first used
 */
export function createLocalKeyService(parts: LocalKeyParts, openBox: () => Promise<SecretBox>): KeyService {
  const { metadata, now, randomBytes } = parts;
  const keys = createKmsKeys(parts, openBox);

  const usable = async (keyArn: string): Promise<KmsKey> => {
    const key = await metadata.read.kmsKeys.find(keyArn);
    return requireUsable(key, keyArn, now());
  };

  /** What the key is made of. */
  const materialOf = async ({ arn, sealedMaterial }: KmsKey): Promise<Uint8Array> => {
    const box = await openBox();
    try {
      return Buffer.from(box.open(sealedMaterial, contextOf(arn)), 'base64');
    } catch (cause) {
      const reason = `${arn} cannot be used: the key file is not the one that it was sealed under`;
      throw new KeyServiceError('KeyUnavailableException', reason, { cause });
    }
  };

  const find = async (registry: Registry, named: string): Promise<KmsKey | undefined> => {
    const owner = parseKmsArn(named)?.registry ?? registry;
    if (owner.region !== registry.region) {
      const reason = `The key ${named} is not in region ${registry.region}, where the repository is`;
      throw new KeyServiceError('NotFoundException', reason);
    }
    // There are no key policies that could let another account in.
    if (owner.accountId === registry.accountId) return keys.find(registry, named);
    throw new KeyServiceError('AccessDeniedException', `The key ${named} is of another account than the repository`);
  };

  return {
    async resolve(registry, named) {
      const isDefault = named === undefined || named === REGISTRY_KEY_ALIAS;
      const key = isDefault ? await keys.ensureDefault(registry) : await find(registry, named);
      return requireUsable(key, named ?? REGISTRY_KEY_ALIAS, now()).arn;
    },

    async check(keyArn) {
      await usable(keyArn);
    },

    async generateDataKey(keyArn, context) {
      const material = await materialOf(await usable(keyArn));
      const key = randomBytes(DATA_KEY_BYTES);
      const sealed = createSecretBox(material, randomBytes).seal(toBase64(key), canonical(context));
      return { key, wrapped: sealed };
    },

    async decrypt(keyArn, wrapped, context) {
      const material = await materialOf(await usable(keyArn));
      try {
        return Buffer.from(createSecretBox(material, randomBytes).open(wrapped, canonical(context)), 'base64');
      } catch (cause) {
        const reason = `The data key is not one of ${keyArn} for this encryption context`;
        throw new KeyServiceError('InvalidCiphertextException', reason, { cause });
      }
    },
  };
}

function requireUsable(key: KmsKey | undefined, named: string, now: Date): KmsKey {
  if (key === undefined || isGone(key, now)) {
    throw new KeyServiceError('NotFoundException', `Key '${named}' does not exist; gantry kms create makes one`);
  }
  if (key.state === 'Disabled') {
    throw new KeyServiceError('DisabledException', `${key.arn} is disabled; gantry kms enable makes it usable again`);
  }
  if (key.state === 'PendingDeletion') {
    const reason = `${key.arn} is pending deletion; gantry kms cancel-deletion keeps it`;
    throw new KeyServiceError('KMSInvalidStateException', reason);
  }
  return key;
}

/** The same text for the same members, in whatever order they come. */
function canonical(context: EncryptionContext): string {
  return JSON.stringify(Object.entries(context).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
