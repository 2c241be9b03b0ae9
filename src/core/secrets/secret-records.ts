import type { Registry } from '../values/registry.ts';

/** What is kept for a registry under a name and the ARN made of it; what it says is sealed under the key file. */
export interface Secret {
  readonly registry: Registry;
  /** Without `ecr-pullthroughcache/`. */
  readonly name: string;
  readonly arn: string;
  readonly sealedValue: Uint8Array;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface SecretReads {
  find(registry: Registry, name: string): Promise<Secret | undefined>;
  findByArn(arn: string): Promise<Secret | undefined>;
  /** In the order of names. */
  list(registry: Registry): Promise<Secret[]>;
}

export interface SecretRecords extends SecretReads {
  /** Adds, or replaces by name; one that is replaced keeps its ARN and the time of its making. */
  put(secret: Secret): Promise<void>;
  /** @returns whether there was one */
  delete(registry: Registry, name: string): Promise<boolean>;
}
