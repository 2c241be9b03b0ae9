import type { Registry } from '../values/registry.ts';

export interface Repository {
  readonly id: number;
  readonly registry: Registry;
  readonly name: string;
  readonly createdAt: Date;
  readonly imageTagMutability: ImageTagMutability;
  /** Empty unless the mutability is one of the two with exclusions. */
  readonly exclusionFilters: readonly ExclusionFilter[];
  readonly scanOnPush: boolean;
  readonly encryption: Encryption;
  readonly resourceTags: readonly ResourceTag[];
}

/** What callers say of a repository: its record tells the rest. */
export type RepositoryName = Pick<Repository, 'registry' | 'name'>;

export type ImageTagMutability = 'MUTABLE' | 'IMMUTABLE' | 'MUTABLE_WITH_EXCLUSION' | 'IMMUTABLE_WITH_EXCLUSION';

export interface ExclusionFilter {
  readonly filterType: 'WILDCARD';
  readonly filter: string;
}

export interface Encryption {
  readonly encryptionType: 'AES256' | 'KMS' | 'KMS_DSSE';
  readonly kmsKey?: string;
}

export interface ResourceTag {
  readonly key: string;
  readonly value: string;
}

export interface RepositoryReads {
  find(registry: Registry, name: string): Promise<Repository | undefined>;
  /** Undefined for one that was retired, too. */
  findById(id: number): Promise<Repository | undefined>;
  findMany(registry: Registry, names: readonly string[]): Promise<Repository[]>;
  /** Repositories of a registry whose name sorts after `after` (bytewise), in that order. */
  page(registry: Registry, after: string, limit: number): Promise<Repository[]>;
  /** Ids of retired repositories. */
  retired(limit: number): Promise<number[]>;
}

export interface RepositoryRecords extends RepositoryReads {
  /** @returns undefined when the registry has a repository of that name */
  insert(repository: Omit<Repository, 'id'>): Promise<Repository | undefined>;
  update(
    id: number,
    changes: Partial<Pick<Repository, 'imageTagMutability' | 'exclusionFilters' | 'scanOnPush' | 'resourceTags'>>,
  ): Promise<void>;
  /** Takes the repository out of its registry, however much it holds: its name is free at once. */
  retire(id: number): Promise<void>;
  /**
   * Deletes up to so many images of a retired repository, after them as many layers, at last uploads and the repository
   * itself. Blobs stay for garbage collection.
   * @returns false when there was nothing left
   */
  reap(id: number, limit: number): Promise<boolean>;
}
