import type { Call } from '../access/caller.ts';
import type { Directory } from '../access/directory.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { splitPage } from '../values/page.ts';
import { type CreateRepositoryInput, createRepository, ensureRepository } from './create-repository.ts';
import { findRepository } from './find-repository.ts';
import { findTemplate } from './find-template.ts';
import type {
  ExclusionFilter,
  ImageTagMutability,
  Repository,
  RepositoryRecords,
  ResourceTag,
} from './repository-records.ts';
import { checkResourceTags, mergeResourceTags } from './resource-tags.ts';
import { checkExclusionFilters } from './tag-mutability.ts';

export interface Repositories {
  /** Refuses with repository-already-exists, limit-exceeded, invalid-resource-tag, too-many-resource-tags, invalid-parameter, kms. */
  create(call: Call, input: CreateRepositoryInput): Promise<Repository>;
  /** One repository; refuses with repository-not-found. */
  get(call: Call, repositoryName: string): Promise<Repository>;
  /** The named ones in the order asked; one unknown name refuses the whole with repository-not-found. */
  getMany(call: Call, repositoryNames: readonly string[]): Promise<Repository[]>;
  /** In the order of names, after a name (empty: from the start). `next` is the last name when there are more. */
  list(call: Call, page: { after: string; limit: number }): Promise<{ repositories: Repository[]; next?: string }>;
  /** Whether the repository is missing, and a push would make it: by the server's setting, or by a creation template. */
  isMadeByPush(call: Call, repositoryName: string): Promise<boolean>;
  /**
   * Makes the repository for images that are copied here from another registry, unless it is there.
   * @param admit asked before it is made; rejects when it must not be
   */
  ensureReplica(call: Call, repositoryName: string, admit: () => Promise<unknown>): Promise<void>;
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

/** @param directory is told when a repository went with its policy */
export function createRepositories(
  dependencies: CoreDependencies,
  directory?: Pick<Directory, 'refresh'>,
): Repositories {
  const { metadata, settings, quotas } = dependencies;
  const find = (call: Call, repositoryName: string) => findRepository(metadata.read, call.registry, repositoryName);

  const change = (call: Call, repositoryName: string, changes: (present: Repository) => RepositoryChanges) =>
    metadata.transaction('repository', async (records) => {
      const repository = await findRepository(records, call.registry, repositoryName);
      const changed = changes(repository);
      await records.repositories.update(repository.id, changed);
      return { ...repository, ...changed };
    });

  return {
    create: (call, input) => createRepository(dependencies, call.registry, input),
    get: find,

    async getMany(call, repositoryNames) {
      const found = await metadata.read.repositories.findMany(call.registry, repositoryNames);
      const byName = new Map(found.map((repository) => [repository.name, repository]));
      return repositoryNames.map((repositoryName) => byName.get(repositoryName) ?? refuseMissing(call, repositoryName));
    },

    async list(call, { after, limit }) {
      const { items, last } = splitPage(await metadata.read.repositories.page(call.registry, after, limit + 1), limit);
      return { repositories: items, ...(last && { next: last.name }) };
    },

    async isMadeByPush({ registry }, repositoryName) {
      if (await metadata.read.repositories.find(registry, repositoryName)) return false;
      if (settings.createOnPush) return true;
      return (await findTemplate(metadata.read, registry, repositoryName, 'CREATE_ON_PUSH')) !== undefined;
    },

    async ensureReplica({ registry }, repositoryName, admit) {
      if (await metadata.read.repositories.find(registry, repositoryName)) return;
      await admit();
      await ensureRepository(dependencies, registry, repositoryName, 'REPLICATION');
    },

    // Also when the key is gone: what it encrypted goes without it. There are no grants to give back, so kms is never refused.
    async delete(call, { repositoryName, force }) {
      const deleted = await metadata.transaction('repository', async (records) => {
        const repository = await findRepository(records, call.registry, repositoryName);
        if (!force && (await records.images.hasAny(repository.id))) {
          refuse({ kind: 'repository-not-empty', repositoryName, registryId: call.registry.accountId });
        }
        // Takes it out of every server's memory too: the next repository of this name starts without one.
        await records.access.putRepositoryPolicy(repository.id, undefined);
        await records.repositories.retire(repository.id);
        return repository;
      });
      await directory?.refresh();
      return deleted;
    },

    async putTagMutability(call, { repositoryName, imageTagMutability, exclusionFilters = [] }) {
      checkExclusionFilters(imageTagMutability, exclusionFilters);
      return change(call, repositoryName, () => ({ imageTagMutability, exclusionFilters }));
    },

    async tagResource(call, { repositoryName, tags }) {
      checkResourceTags(tags);
      await change(call, repositoryName, (present) => ({
        resourceTags: mergeResourceTags(present.resourceTags, tags, repositoryName, quotas.limits),
      }));
    },

    async untagResource(call, { repositoryName, keys }) {
      await change(call, repositoryName, (present) => ({
        resourceTags: present.resourceTags.filter(({ key }) => !keys.includes(key)),
      }));
    },
  };
}

type RepositoryChanges = Parameters<RepositoryRecords['update']>[1];

function refuseMissing(call: Call, repositoryName: string): never {
  return refuse({ kind: 'repository-not-found', repositoryName, registryId: call.registry.accountId });
}
