import type { Registry } from '../values/registry.ts';

/**
 * Where keys are that never leave it: they encrypt the data keys under which bytes are kept. Every method rejects with
 * KeyServiceError when the service refuses.
 */
export interface KeyService {
  /**
   * The ARN of the key that a new repository is to use, which must be usable now and of the registry's region.
   *
   * @param key an id, an ARN, an alias' name or its ARN; undefined for the registry's own, `alias/aws/ecr`
   */
  resolve(registry: Registry, key: string | undefined): Promise<string>;
  /** Resolves when the key can be used now. */
  check(keyArn: string): Promise<void>;
  /** A new data key of 32 bytes, and the same encrypted under the key and bound to the context. */
  generateDataKey(keyArn: string, context: EncryptionContext): Promise<DataKey>;
  /** The data key that was encrypted, for the context it was bound to. */
  decrypt(keyArn: string, wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array>;
}

/** What a data key is bound to; it is written in the key service's own records, so it holds nothing secret. */
export type EncryptionContext = Readonly<Record<string, string>>;

export interface DataKey {
  readonly key: Uint8Array;
  readonly wrapped: Uint8Array;
}

/** The key service refused, or did not answer. */
export class KeyServiceError extends Error {
  /** KMS's name for it, for example `DisabledException`, `NotFoundException`, `KMSInvalidStateException`. */
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KeyServiceError';
    this.code = code;
  }
}
