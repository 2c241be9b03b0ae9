import type { NewCacheRule } from '../caching/cache-rules.ts';
import type { ReplicationRule } from '../replication/replication-records.ts';
import type { CreationTemplate } from '../repositories/creation-template-records.ts';
import type { Repository } from '../repositories/repository-records.ts';

/** What a repository is set to, besides its policies. */
export type RepositorySettings = Pick<
  Repository,
  'imageTagMutability' | 'exclusionFilters' | 'scanOnPush' | 'encryption' | 'resourceTags'
>;

export type TemplateSettings = Omit<CreationTemplate, 'registry' | 'createdAt' | 'updatedAt'>;

/**
 * Settings of a registry that has the ECR API, and of its repositories. Methods reject with SettingError when a setting cannot be
 * read or is not taken. What has never been set is undefined, or an empty list.
 */
export interface SettingsPlace {
  /** Undefined when there is no such repository. */
  repository(repositoryName: string): Promise<RepositorySettings | undefined>;
  createRepository(repositoryName: string, settings: RepositorySettings): Promise<void>;
  putTagMutability(
    repositoryName: string,
    settings: Pick<RepositorySettings, 'imageTagMutability' | 'exclusionFilters'>,
  ): Promise<void>;
  putScanOnPush(repositoryName: string, scanOnPush: boolean): Promise<void>;
  /** Adds, or replaces by key; others stay. */
  addResourceTags(repositoryName: string, tags: RepositorySettings['resourceTags']): Promise<void>;
  repositoryPolicy(repositoryName: string): Promise<string | undefined>;
  putRepositoryPolicy(repositoryName: string, policyText: string): Promise<void>;
  lifecyclePolicy(repositoryName: string): Promise<string | undefined>;
  putLifecyclePolicy(repositoryName: string, document: string): Promise<void>;

  registryPolicy(): Promise<string | undefined>;
  putRegistryPolicy(policyText: string): Promise<void>;
  replicationRules(): Promise<readonly ReplicationRule[]>;
  putReplicationRules(rules: readonly ReplicationRule[]): Promise<void>;
  templates(): Promise<readonly TemplateSettings[]>;
  /** Adds, or replaces by prefix. */
  putTemplate(template: TemplateSettings): Promise<void>;
  cacheRules(): Promise<readonly NewCacheRule[]>;
  createCacheRule(rule: NewCacheRule): Promise<void>;
}

/** A setting that did not go well; the message says why. */
export class SettingError extends Error {
  /** `unserved`: the registry does not have this kind of setting. `refused`: it says no. */
  readonly code: 'unserved' | 'refused';
  constructor(code: SettingError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'SettingError';
    this.code = code;
  }
}
