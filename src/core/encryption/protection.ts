import type { EncryptionContext } from './key-service.ts';

/** How the bytes of an upload, and of the blob that it becomes, are kept. Recorded with both; absent for plain bytes. */
export type Protection =
  | {
      /** The store encrypts under a data key that it is given. */
      readonly kind: 'data-key';
      /** An ARN of the key service, or the id of a master key. */
      readonly keyId: string;
      /** The data key, encrypted under that key; base64. */
      readonly wrapped: string;
      /** A second data key, for a second layer of encryption (KMS_DSSE). */
      readonly secondWrapped?: string;
      readonly context: EncryptionContext;
    }
  | {
      /** What the store does behind its own doors, under a key whose name it is given. */
      readonly kind: 'named-key';
      readonly encryptionType: 'KMS' | 'KMS_DSSE';
      readonly keyId: string;
      readonly context: EncryptionContext;
    };
