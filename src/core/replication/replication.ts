import type { Call } from '../access/caller.ts';
import type { Digest } from '../values/digest.ts';
import type { ImageIdentifier } from '../values/image-reference.ts';
import type { Registry } from '../values/registry.ts';
import type { ReplicationRule, ReplicationStatus } from './replication-records.ts';

/** What a registry copies to others, and how far that is. */
export interface Replication {
  rules(call: Call): Promise<readonly ReplicationRule[]>;
  /** Replaces all rules; none end replication. Refuses with invalid-parameter. */
  putRules(call: Call, rules: readonly ReplicationRule[]): Promise<void>;
  /** One status for each destination. Refuses with repository-not-found and image-not-found. */
  imageStatuses(
    call: Call,
    input: { readonly repositoryName: string; readonly imageId: ImageIdentifier },
  ): Promise<{ readonly digest: Digest; readonly statuses: DestinationStatus[] }>;
}

export interface DestinationStatus {
  readonly destination: Registry;
  readonly status: ReplicationStatus;
  readonly failureCode?: string;
}
