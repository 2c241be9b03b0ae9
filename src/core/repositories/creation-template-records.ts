import type { Registry } from '../values/registry.ts';
import type { Encryption, ExclusionFilter, ImageTagMutability, ResourceTag } from './repository-records.ts';

/** What a repository gets that is made without being asked for by name (ECR user guide, "Repository creation templates"). */
export interface CreationTemplate extends CreationTemplateSettings {
  readonly registry: Registry;
  /** `ROOT`, or the beginning of names up to a slash, which is not written. */
  readonly prefix: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface CreationTemplateSettings {
  readonly appliedFor: readonly CreationReason[];
  readonly description?: string;
  readonly encryption?: Encryption;
  readonly resourceTags?: readonly ResourceTag[];
  readonly imageTagMutability?: ImageTagMutability;
  readonly exclusionFilters?: readonly ExclusionFilter[];
  readonly repositoryPolicy?: string;
  readonly lifecyclePolicy?: string;
  readonly customRoleArn?: string;
}

/** Why a repository comes to be that nobody created. */
export type CreationReason = 'CREATE_ON_PUSH' | 'PULL_THROUGH_CACHE' | 'REPLICATION';

export interface CreationTemplateReads {
  find(registry: Registry, prefix: string): Promise<CreationTemplate | undefined>;
  findMany(registry: Registry, prefixes: readonly string[]): Promise<CreationTemplate[]>;
  /** In the order of prefixes (bytewise), after a prefix. */
  page(registry: Registry, after: string, limit: number): Promise<CreationTemplate[]>;
}

export interface CreationTemplateRecords extends CreationTemplateReads {
  /** Adds or replaces by prefix. */
  put(template: CreationTemplate): Promise<void>;
  /** @returns whether there was one */
  delete(registry: Registry, prefix: string): Promise<boolean>;
}
