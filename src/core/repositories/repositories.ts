import type { Call } from '../access/caller.ts';
import type { Encryption, ExclusionFilter, ImageTagMutability, Repository, ResourceTag } from './repository-records.ts';

export interface Repositories {
  /** Refuses with repository-already-exists, invalid-resource-tag, too-many-resource-tags, invalid-parameter, kms. */
  create(call: Call, input: CreateRepositoryInput): Promise<Repository>;
  /** One repository; refuses with repository-not-found. */
  get(call: Call, repositoryName: string): Promise<Repository>;
  /** The named ones in the order asked; one unknown name refuses the whole with repository-not-found. */
  getMany(call: Call, repositoryNames: readonly string[]): Promise<Repository[]>;
  /** In the order of names, after a name (empty: from the start). `next` is the last name when there are more. */
  list(call: Call, page: { after: string; limit: number }): Promise<{ repositories: Repository[]; next?: string }>;
  /** Refuses with repository-not-found and, without force, repository-not-empty. @returns what was deleted */
  delete(call: Call, input: { repositoryName: string; force: boolean }): Promise<Repository>;
  /** Refuses with repository-not-found, invalid-parameter. */
  putTagMutability(
    call: Call,
    input: {
      repositoryName: string;
      imageTagMutability: ImageTagMutability;
      exclusionFilters?: readonly ExclusionFilter[];
    },
  ): Promise<Repository>;
  /** Adds or replaces by key. Refuses with repository-not-found, invalid-resource-tag, too-many-resource-tags. */
  tagResource(call: Call, input: { repositoryName: string; tags: readonly ResourceTag[] }): Promise<void>;
  /** Keys that are not there are passed over. Refuses with repository-not-found. */
  untagResource(call: Call, input: { repositoryName: string; keys: readonly string[] }): Promise<void>;
}

export interface CreateRepositoryInput {
  readonly repositoryName: string;
  readonly tags?: readonly ResourceTag[];
  readonly imageTagMutability?: ImageTagMutability;
  readonly exclusionFilters?: readonly ExclusionFilter[];
  readonly scanOnPush?: boolean;
  readonly encryption?: Encryption;
}
