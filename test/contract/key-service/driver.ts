import type { KeyService } from '../../../src/core/encryption/key-service.ts';
import type { Registry } from '../../../src/core/values/registry.ts';

/** A driver of KeyService as the contract suite sees it. */
export interface KeyServiceDriver {
  readonly name: string;
  /** Opens a service without keys. */
  open(): Promise<OpenKeyService>;
}

export interface OpenKeyService extends AsyncDisposable {
  readonly keys: KeyService;
  /** The account and region that its keys are of. */
  readonly registry: Registry;
  /** Another instance on the same keys, as a restart or a second node has it. */
  another(): Promise<KeyService>;
  /** @returns the ARN of a new key */
  create(alias?: string): Promise<string>;
  disable(keyArn: string): Promise<void>;
  enable(keyArn: string): Promise<void>;
  scheduleDeletion(keyArn: string): Promise<void>;
  /** As after the waiting period: the material is gone. */
  destroy(keyArn: string): Promise<void>;
}
