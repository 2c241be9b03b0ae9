import type { Registry } from '../values/registry.ts';
import type { SignerKeyType } from './signer-keys.ts';

/** Who signs images: a key with the certificates that say whose it is. The key is sealed under the key file. */
export interface SignerProfile {
  readonly registry: Registry;
  /** As AWS Signer names profiles. */
  readonly arn: string;
  readonly name: string;
  readonly keyType: SignerKeyType;
  /** PEM, each signed by the next: the profile's own certificate first, the one to be trusted last. */
  readonly certificateChain: string;
  readonly sealedPrivateKey: Uint8Array;
  readonly createdAt: Date;
  /** Since when it signs no more. */
  readonly retiredAt?: Date;
}

/** Signs the certificates of a registry's profiles. */
export interface SigningAuthority {
  /** PEM. */
  readonly certificate: string;
  readonly sealedPrivateKey: Uint8Array;
  readonly createdAt: Date;
}

export interface SignerProfileReads {
  find(arn: string): Promise<SignerProfile | undefined>;
  /** In the order of names. */
  list(registry: Registry): Promise<SignerProfile[]>;
  authority(registry: Registry): Promise<SigningAuthority | undefined>;
}

export interface SignerProfileRecords extends SignerProfileReads {
  /** Rejects when there is one of that ARN. */
  insert(profile: SignerProfile): Promise<void>;
  retire(arn: string, at: Date): Promise<void>;
  /** @returns whether there was one */
  delete(arn: string): Promise<boolean>;
  /** Rejects when the registry has one. */
  insertAuthority(registry: Registry, authority: SigningAuthority): Promise<void>;
}
