import type { Registry } from '../values/registry.ts';

/** A key of the local key service; what it is made of is sealed under the key file. */
export interface KmsKey {
  readonly registry: Registry;
  readonly arn: string;
  /** With its `alias/`; no two keys of a registry have the same. */
  readonly alias?: string;
  readonly description: string;
  readonly state: KmsKeyState;
  readonly sealedMaterial: Uint8Array;
  readonly createdAt: Date;
  /** When a key that is pending deletion goes for good. */
  readonly deletionAt?: Date;
}

/** KMS's KeyState. */
export type KmsKeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

export interface KmsKeyReads {
  find(arn: string): Promise<KmsKey | undefined>;
  findByAlias(registry: Registry, alias: string): Promise<KmsKey | undefined>;
  /** Oldest first. */
  list(registry: Registry): Promise<KmsKey[]>;
}

export interface KmsKeyRecords extends KmsKeyReads {
  /** Rejects when the registry has a key of that alias, or there is one of that ARN. */
  insert(key: KmsKey): Promise<void>;
  /** @param deletionAt for keys that are pending deletion alone */
  changeState(arn: string, state: KmsKeyState, deletionAt?: Date): Promise<void>;
  /** Deletes keys whose waiting period was over before a time, material and all. @returns how many */
  deleteDue(now: Date, limit: number): Promise<number>;
}
