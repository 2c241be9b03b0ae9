/** A secret that signs registry tokens or download links. Kept in the store so that any node accepts what one made. */
export interface SigningKey {
  /** Short text that travels with what the key signed. */
  readonly id: string;
  readonly purpose: SigningPurpose;
  readonly secret: Uint8Array;
  readonly createdAt: Date;
}

export type SigningPurpose = 'registry-token' | 'download-link' | 'role-session';

export interface SigningKeyReads {
  /** All keys of a purpose, newest first. */
  all(purpose: SigningPurpose): Promise<SigningKey[]>;
}

export interface SigningKeyRecords extends SigningKeyReads {
  insert(key: SigningKey): Promise<void>;
}
