import type { Registry } from '../values/registry.ts';

/** A registry elsewhere, known by the account and region under which this server's registries name it. */
export interface Peer {
  readonly registry: Registry;
  readonly url: string;
  readonly settings: PeerSettings;
  /** Sealed under the registry's key. */
  readonly sealedSecret?: Uint8Array;
  readonly createdAt: Date;
}

export interface PeerSettings {
  readonly kind: PeerKind;
  /** Whose password the secret is. */
  readonly username?: string;
  /** Whose secret access key the secret is. */
  readonly accessKeyId?: string;
  /** Where the ECR API of the registry is, when it is not where its kind has it. */
  readonly apiUrl?: string;
  /** Whether it may be at an address of this machine or of a private network. */
  readonly allowsPrivate?: boolean;
}

/** `gantry` and `ecr` have the ECR API besides the OCI one. */
export type PeerKind = 'gantry' | 'ecr' | 'oci';

export interface PeerReads {
  find(registry: Registry): Promise<Peer | undefined>;
  /** In the order of accounts and regions. */
  list(): Promise<Peer[]>;
}

export interface PeerRecords extends PeerReads {
  /** Adds or replaces by account and region. */
  put(peer: Peer): Promise<void>;
  /** @returns whether there was one */
  delete(registry: Registry): Promise<boolean>;
}
