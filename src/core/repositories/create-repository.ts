import type { CoreDependencies } from '../dependencies.ts';
import { RefusedError, refuse } from '../errors.ts';
import { canonicalDocument } from '../lifecycle/policy-document.ts';
import type { Registry } from '../values/registry.ts';
import { isRepositoryName, REPOSITORY_NAME_PATTERN } from '../values/repository-name.ts';
import type { CreationReason, CreationTemplate } from './creation-template-records.ts';
import { findTemplate } from './find-template.ts';
import type { Encryption, ExclusionFilter, ImageTagMutability, Repository, ResourceTag } from './repository-records.ts';
import { checkResourceTags, mergeResourceTags } from './resource-tags.ts';
import { checkExclusionFilters } from './tag-mutability.ts';

export interface CreateRepositoryInput {
  readonly repositoryName: string;
  readonly tags?: readonly ResourceTag[];
  readonly imageTagMutability?: ImageTagMutability;
  readonly exclusionFilters?: readonly ExclusionFilter[];
  readonly scanOnPush?: boolean;
  readonly encryption?: Encryption;
  /** From a template. */
  readonly repositoryPolicy?: string;
  /** From a template. */
  readonly lifecyclePolicy?: string;
}

/** Makes a repository with ECR's defaults: mutable tags, no scan on push, AES256. See `Repositories.create`. */
export async function createRepository(
  { metadata, encryption, now, quotas }: Pick<CoreDependencies, 'metadata' | 'encryption' | 'now' | 'quotas'>,
  registry: Registry,
  input: CreateRepositoryInput,
): Promise<Repository> {
  const { repositoryName } = input;
  checkName(repositoryName);
  checkResourceTags(input.tags ?? []);
  const imageTagMutability = input.imageTagMutability ?? 'MUTABLE';
  checkExclusionFilters(imageTagMutability, input.exclusionFilters);
  const resourceTags = mergeResourceTags([], input.tags ?? [], repositoryName, quotas.limits);
  const resolved = await encryption.resolve(registry, input.encryption);
  const repository = await metadata.transaction('registry', async (records) => {
    if (await records.repositories.find(registry, repositoryName)) return undefined;
    await quotas.admitRepository(records, registry);
    const inserted = await records.repositories.insert({
      registry,
      name: repositoryName,
      createdAt: now(),
      imageTagMutability,
      exclusionFilters: input.exclusionFilters ?? [],
      scanOnPush: input.scanOnPush ?? false,
      encryption: resolved,
      resourceTags,
    });
    if (inserted && input.repositoryPolicy !== undefined) {
      await records.access.putRepositoryPolicy(inserted.id, input.repositoryPolicy);
    }
    if (inserted && input.lifecyclePolicy !== undefined) {
      await records.lifecycle.putPolicy(inserted.id, canonicalDocument(input.lifecyclePolicy));
    }
    return inserted;
  });
  return repository ?? refuse({ kind: 'repository-already-exists', repositoryName, registryId: registry.accountId });
}

/**
 * Makes a repository unless it is there, as the template of its prefix for the reason says; of two that do so at once, one
 * makes it. Without a template it gets the defaults, except on a push: that makes one without a template only where the
 * server is set so (ECR user guide, "Repository creation templates").
 */
export async function ensureRepository(
  dependencies: Pick<CoreDependencies, 'metadata' | 'encryption' | 'now' | 'quotas' | 'settings'>,
  registry: Registry,
  repositoryName: string,
  reason: CreationReason,
): Promise<void> {
  const { metadata, settings } = dependencies;
  if (await metadata.read.repositories.find(registry, repositoryName)) return;
  const template = await findTemplate(metadata.read, registry, repositoryName, reason);
  if (!template && reason === 'CREATE_ON_PUSH' && !settings.createOnPush) return;
  try {
    await createRepository(dependencies, registry, { repositoryName, ...(template && settingsOf(template)) });
  } catch (error) {
    if (!(error instanceof RefusedError) || error.refusal.kind !== 'repository-already-exists') throw error;
  }
}

function settingsOf(template: CreationTemplate): Omit<CreateRepositoryInput, 'repositoryName'> {
  const { resourceTags, imageTagMutability, exclusionFilters, encryption, repositoryPolicy, lifecyclePolicy } =
    template;
  return {
    ...(resourceTags && { tags: resourceTags }),
    ...(imageTagMutability && { imageTagMutability }),
    ...(exclusionFilters && { exclusionFilters }),
    ...(encryption && { encryption }),
    ...(repositoryPolicy !== undefined && { repositoryPolicy }),
    ...(lifecyclePolicy !== undefined && { lifecyclePolicy }),
  };
}

function checkName(repositoryName: string): void {
  if (isRepositoryName(repositoryName)) return;
  const constraint = `must satisfy regular expression '${REPOSITORY_NAME_PATTERN}'`;
  refuse({ kind: 'invalid-parameter', parameter: 'repositoryName', constraint });
}
