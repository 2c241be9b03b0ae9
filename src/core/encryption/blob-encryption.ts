import type { BlobStore, KeptBytes } from '../blob-store.ts';
import { refuse } from '../errors.ts';
import type { Encryption, Repository } from '../repositories/repository-records.ts';
import { partitionOf, type Registry, repositoryArn } from '../values/registry.ts';
import type { KeyService } from './key-service.ts';
import { isMasterKeyId, type MasterKeys } from './master-keys.ts';
import type { Protection } from './protection.ts';
import { keptRefusingKms, refusingKms } from './refusing-kms.ts';

/**
 * How the bytes of repositories are encrypted. Every method refuses with kms when the key service does: the key is
 * disabled, deleted, of another region, or nobody answers.
 */
export interface BlobEncryption {
  /** What a new repository gets: with KMS the ARN of a key that can be used now, the registry's own when it names none. */
  resolve(registry: Registry, asked: Encryption | undefined): Promise<Encryption>;
  /** How the bytes of a new upload are kept; undefined for as they come. */
  protect(repository: ProtectedRepository, uploadId: string): Promise<Protection | undefined>;
  /** Resolves when the key of a repository can be used now, at once for one without a key. */
  requireKey(repository: Repository): Promise<void>;
  /** Whether this server cannot read bytes that are kept so, as it was not given their master key. Asks nobody. */
  isLost(protection: Protection | undefined): boolean;
  /** What the store does with bytes that are kept so, when their key can be used now. */
  bytes(protection: Protection | undefined): Promise<KeptBytes>;
}

/** What of a repository its bytes are bound to. */
export type ProtectedRepository = Pick<Repository, 'registry' | 'name' | 'encryption'>;

export interface BlobEncryptionParts {
  readonly blobs: BlobStore;
  readonly keys: KeyService;
  readonly masterKeys: MasterKeys;
  readonly randomBytes: (length: number) => Uint8Array;
}

const DATA_KEY_BYTES = 32;

export function createBlobEncryption({ blobs, keys, masterKeys, randomBytes }: BlobEncryptionParts): BlobEncryption {
  const byKeyService = async (
    { registry, name, encryption }: ProtectedRepository,
    uploadId: string,
    keyId: string,
  ): Promise<Protection> => {
    const { encryptionType } = encryption;
    const ours = { 'aws:ecr:arn': repositoryArn(registry, name) };
    const encrypting = blobs.encrypting ?? refuseStore();
    if (encrypting.by === 'named-keys') {
      if (encryptionType === 'AES256') throw new Error('AES256 names no key');
      await keys.check(keyId);
      return { kind: 'named-key', encryptionType, keyId, context: ours };
    }
    const context = { ...ours, 'aws:s3:arn': objectArn(registry, uploadId) };
    const { wrapped } = await keys.generateDataKey(keyId, context);
    const second = encryptionType === 'KMS_DSSE' && (await keys.generateDataKey(keyId, context));
    return {
      kind: 'data-key',
      keyId,
      wrapped: toBase64(wrapped),
      ...(second && { secondWrapped: toBase64(second.wrapped) }),
      context,
    };
  };

  const byMasterKey = (uploadId: string): Protection | undefined => {
    const { currentId } = masterKeys;
    // A store that encrypts by itself does so without being told.
    if (currentId === undefined || blobs.encrypting?.by !== 'data-keys') return undefined;
    const wrapped = toBase64(masterKeys.wrap(randomBytes(DATA_KEY_BYTES), uploadId));
    return { kind: 'data-key', keyId: currentId, wrapped, context: { uploadId } };
  };

  const unwrap = async ({ keyId, wrapped, context }: DataKeyProtection): Promise<Uint8Array> => {
    const sealed = Buffer.from(wrapped, 'base64');
    if (isMasterKeyId(keyId)) return masterKeys.unwrap(keyId, sealed, context.uploadId ?? '');
    return keys.decrypt(keyId, sealed, context);
  };

  /** Of both layers, one after the other, when there are two. */
  const dataKeyOf = async (protection: DataKeyProtection): Promise<Uint8Array> => {
    const first = await unwrap(protection);
    const { secondWrapped } = protection;
    if (secondWrapped === undefined) return first;
    return Buffer.concat([first, await unwrap({ ...protection, wrapped: secondWrapped })]);
  };

  return {
    async resolve(registry, asked = { encryptionType: 'AES256' }) {
      const { encryptionType, kmsKey } = asked;
      if (encryptionType === 'AES256') return { encryptionType };
      if (!blobs.encrypting) refuseStore();
      return { encryptionType, kmsKey: await refusingKms(() => keys.resolve(registry, kmsKey || undefined)) };
    },

    async protect(repository, uploadId) {
      const { kmsKey } = repository.encryption;
      if (kmsKey === undefined) return byMasterKey(uploadId);
      return refusingKms(() => byKeyService(repository, uploadId, kmsKey));
    },

    async requireKey({ encryption: { kmsKey } }) {
      if (kmsKey !== undefined) await refusingKms(() => keys.check(kmsKey));
    },

    isLost: (protection) =>
      protection?.kind === 'data-key' && isMasterKeyId(protection.keyId) && !masterKeys.has(protection.keyId),

    async bytes(protection) {
      if (protection === undefined) return blobs;
      const { encrypting } = blobs;
      if (protection.kind === 'named-key') {
        if (encrypting?.by !== 'named-keys') return refuseStore();
        await refusingKms(() => keys.check(protection.keyId));
        return keptRefusingKms(encrypting.under(protection));
      }
      if (encrypting?.by !== 'data-keys') return refuseStore();
      return encrypting.under(await refusingKms(() => dataKeyOf(protection)));
    },
  };
}

type DataKeyProtection = Extract<Protection, { kind: 'data-key' }>;

function refuseStore(): never {
  const reason = 'The blob store cannot encrypt under a key; create the repository with encryption type AES256';
  return refuse({ kind: 'kms', reason, kmsError: 'UnsupportedOperationException' });
}

/** ECR binds data keys to the repository and to the object in its bucket (ECR user guide, "Encryption at rest"). */
function objectArn({ region, accountId }: Registry, uploadId: string): string {
  return `arn:${partitionOf(region)}:s3:::gantry-${accountId}-${region}/${uploadId}`;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
