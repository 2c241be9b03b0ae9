import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { SecretBox } from '../access/secret-box.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { Registry } from '../values/registry.ts';
import type { SignerKeyType } from './signer-keys.ts';
import { isSignerProfileName, parseSignerProfileArn, signerProfileArn } from './signer-profile-names.ts';
import type { SignerProfile, SigningAuthority } from './signer-profile-records.ts';
import { checkChain, type KeyedChain, makeSigner, makeSigningAuthority } from './signing-certificates.ts';

/** Signer profiles, as who administers them sees them. A profile is named by its name or its ARN. */
export interface SignerProfiles {
  /** Makes a key and a certificate under the registry's authority, which is made when there is none. */
  create(registry: Registry, name: string, wanted: { keyType: SignerKeyType; days: number }): Promise<SignerProfile>;
  /** With a key and certificates that were made elsewhere. Throws CertificateChainError too. */
  take(registry: Registry, name: string, given: { privateKey: string; chain: string }): Promise<SignerProfile>;
  list(registry: Registry): Promise<SignerProfile[]>;
  find(registry: Registry, named: string): Promise<SignerProfile>;
  /** It signs no more; what it has signed stays signed. */
  retire(registry: Registry, named: string): Promise<SignerProfile>;
  /** With its key; only one that no registry's rules name, and no gate. */
  delete(registry: Registry, named: string): Promise<SignerProfile>;
}

/** All methods may throw it: the name is none or taken, there is no such profile, or its state forbids it. */
export class SignerProfileError extends Error {
  override readonly name = 'SignerProfileError';
}

export function createSignerProfiles(
  { metadata, now, randomBytes }: Pick<CoreDependencies, 'metadata' | 'now' | 'randomBytes'>,
  box: SecretBox,
): SignerProfiles {
  const { read } = metadata;

  const insert = (registry: Registry, name: string, keyType: SignerKeyType, chain: KeyedChain) => {
    const arn = signerProfileArn(registry, name);
    const { certificateChain } = chain;
    const sealedPrivateKey = box.seal(chain.privateKey, contextOf(arn));
    const profile: SignerProfile = {
      registry,
      arn,
      name,
      keyType,
      certificateChain,
      sealedPrivateKey,
      createdAt: now(),
    };
    return metadata.transaction('registry', async ({ signerProfiles }) => {
      if (await signerProfiles.find(arn)) throw new SignerProfileError(`There is a signer profile '${name}' already`);
      await signerProfiles.insert(profile);
      return profile;
    });
  };

  const ensureAuthority = async (registry: Registry): Promise<SigningAuthority> => {
    const present = await read.signerProfiles.authority(registry);
    if (present) return present;
    const at = now();
    const { certificateChain: certificate, privateKey } = makeSigningAuthority(registry, at, randomBytes);
    const made = { certificate, sealedPrivateKey: box.seal(privateKey, authorityContextOf(registry)), createdAt: at };
    return metadata.transaction('registry', async ({ signerProfiles }) => {
      const other = await signerProfiles.authority(registry);
      if (!other) await signerProfiles.insertAuthority(registry, made);
      return other ?? made;
    });
  };

  const find = async (registry: Registry, named: string): Promise<SignerProfile> => {
    const parsed = named.startsWith('arn:') ? parseSignerProfileArn(named) : { registry, name: named };
    const found = parsed && (await read.signerProfiles.find(signerProfileArn(parsed.registry, parsed.name)));
    if (!found) throw new SignerProfileError(`There is no signer profile '${named}' in ${registry.region}`);
    return found;
  };

  return {
    async create(registry, name, { keyType, days }) {
      checkName(name);
      const { certificate, sealedPrivateKey } = await ensureAuthority(registry);
      const privateKey = openKey(box, sealedPrivateKey, authorityContextOf(registry));
      const wanted = { registry, name, keyType, days };
      return insert(registry, name, keyType, makeSigner(wanted, { certificate, privateKey }, now(), randomBytes));
    },

    async take(registry, name, { privateKey, chain }) {
      checkName(name);
      const key = readKey(privateKey);
      const keyType = checkChain(chain, key, now());
      const pkcs8 = String(key.export({ type: 'pkcs8', format: 'pem' }));
      return insert(registry, name, keyType, { certificateChain: chain, privateKey: pkcs8 });
    },

    list: (registry) => read.signerProfiles.list(registry),
    find,

    async retire(registry, named) {
      const profile = await find(registry, named);
      if (profile.retiredAt) return profile;
      const retiredAt = now();
      await metadata.transaction('registry', ({ signerProfiles }) => signerProfiles.retire(profile.arn, retiredAt));
      return { ...profile, retiredAt };
    },

    async delete(registry, named) {
      const profile = await find(registry, named);
      const { arn } = profile;
      await metadata.transaction('registry', async ({ signerProfiles, signing, gates }) => {
        const configured = await signing.allRules();
        const naming = configured.find(({ rules }) => rules.some(({ profileArn }) => profileArn === arn));
        if (naming) {
          const { accountId, region } = naming.registry;
          throw new SignerProfileError(
            `The signing configuration of account ${accountId} in ${region} names ${arn}: take it out of there first`,
          );
        }
        const gated = (await gates.all()).find(({ gate }) => gate.signedBy === arn);
        if (gated) {
          throw new SignerProfileError(
            `The gate of ${gated.repositoryName} in ${gated.registry.region} asks for signatures of ${arn}: set another one first`,
          );
        }
        await signerProfiles.delete(arn);
      });
      return profile;
    },
  };
}

/** Opens the key of a profile; throws when the key file is not the one it was sealed under. */
export function openSignerKey(box: SecretBox, { arn, sealedPrivateKey }: SignerProfile): KeyObject {
  return createPrivateKey(box.open(sealedPrivateKey, contextOf(arn)));
}

function contextOf(arn: string): string {
  return `signer profile ${arn}`;
}

function authorityContextOf({ accountId, region }: Registry): string {
  return `signing authority ${accountId} ${region}`;
}

function openKey(box: SecretBox, sealed: Uint8Array, context: string): KeyObject {
  try {
    return createPrivateKey(box.open(sealed, context));
  } catch (cause) {
    const reason =
      'The key file is not the one under which this server keeps its signing keys; name that one with --key-file';
    throw new SignerProfileError(reason, { cause });
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new SignerProfileError('The key cannot be read: it must be PEM, without a passphrase', { cause });
  }
}

function checkName(name: string): void {
  if (isSignerProfileName(name)) return;
  throw new SignerProfileError('A signer profile is named by 2 to 64 letters, digits and underscores');
}
