import type { Registry } from '../values/registry.ts';

/** Which registry elsewhere stands behind the repositories of a prefix (ECR user guide, "Pull through cache rules"). */
export interface CacheRule {
  readonly registry: Registry;
  /** `ROOT`, or the beginning of names up to a slash, which is not written. */
  readonly prefix: string;
  /** What stands in place of the prefix upstream; `ROOT`, or absent as it was not given: nothing does. */
  readonly upstreamPrefix?: string;
  /** As it was given. */
  readonly upstreamUrl: string;
  /** Absent for an address of the operator's own choice. */
  readonly upstreamKind?: UpstreamKind;
  readonly credentialArn?: string;
  readonly customRoleArn?: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** ECR's `UpstreamRegistry`. */
export type UpstreamKind =
  | 'ecr'
  | 'ecr-public'
  | 'quay'
  | 'k8s'
  | 'docker-hub'
  | 'github-container-registry'
  | 'azure-container-registry'
  | 'gitlab-container-registry'
  | 'chainguard';

export interface CacheRuleReads {
  find(registry: Registry, prefix: string): Promise<CacheRule | undefined>;
  /** In the order of prefixes (bytewise), after a prefix. */
  page(registry: Registry, after: string, limit: number): Promise<CacheRule[]>;
  /** Those of every registry. */
  all(): Promise<CacheRule[]>;
}

export interface CacheRuleRecords extends CacheRuleReads {
  /** Adds or replaces by prefix. */
  put(rule: CacheRule): Promise<void>;
  /** @returns whether there was one */
  delete(registry: Registry, prefix: string): Promise<boolean>;
}
