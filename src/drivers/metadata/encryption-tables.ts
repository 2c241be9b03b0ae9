/** Keys of the local key service; their material is sealed under the key file. */
export interface EncryptionTables {
  kms_keys: KmsKeysTable;
}

export interface KmsKeysTable {
  arn: string;
  account: string;
  region: string;
  /** With its `alias/`; null for none. */
  alias: string | null;
  description: string;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  sealed_material: Uint8Array;
  created_at: number;
  /** When a key that is pending deletion goes for good. */
  deletion_at: number | null;
}
