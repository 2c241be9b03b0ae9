import { RefusedError, refuse } from '../errors.ts';
import type { MetadataStore } from '../metadata-store.ts';
import type { Registry } from '../values/registry.ts';
import { isRepositoryName, REPOSITORY_NAME_PATTERN } from '../values/repository-name.ts';
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
}

/** Makes a repository with ECR's defaults: mutable tags, no scan on push, AES256. */
export async function createRepository(
  metadata: MetadataStore,
  registry: Registry,
  input: CreateRepositoryInput,
  now: Date,
): Promise<Repository> {
  const { repositoryName } = input;
  checkName(repositoryName);
  checkEncryption(input.encryption);
  checkResourceTags(input.tags ?? []);
  const imageTagMutability = input.imageTagMutability ?? 'MUTABLE';
  checkExclusionFilters(imageTagMutability, input.exclusionFilters);
  const resourceTags = mergeResourceTags([], input.tags ?? [], repositoryName);
  const repository = await metadata.transaction((records) =>
    records.repositories.insert({
      registry,
      name: repositoryName,
      createdAt: now,
      imageTagMutability,
      exclusionFilters: input.exclusionFilters ?? [],
      scanOnPush: input.scanOnPush ?? false,
      encryption: input.encryption ?? { encryptionType: 'AES256' },
      resourceTags,
    }),
  );
  return repository ?? refuse({ kind: 'repository-already-exists', repositoryName, registryId: registry.accountId });
}

/**
 * Makes a repository with the defaults unless it is there; of two that do so at once, one makes it.
 */
export async function ensureRepository(
  metadata: MetadataStore,
  registry: Registry,
  repositoryName: string,
  now: Date,
): Promise<void> {
  if (await metadata.read.repositories.find(registry, repositoryName)) return;
  try {
    await createRepository(metadata, registry, { repositoryName }, now);
  } catch (error) {
    if (!(error instanceof RefusedError) || error.refusal.kind !== 'repository-already-exists') throw error;
  }
}

function checkName(repositoryName: string): void {
  if (isRepositoryName(repositoryName)) return;
  const constraint = `must satisfy regular expression '${REPOSITORY_NAME_PATTERN}'`;
  refuse({ kind: 'invalid-parameter', parameter: 'repositoryName', constraint });
}

function checkEncryption(encryption: Encryption | undefined): void {
  if (!encryption || encryption.encryptionType === 'AES256') return;
  refuse({
    kind: 'kms',
    reason: `Encryption type ${encryption.encryptionType} needs a key service, and none is configured; use AES256`,
    kmsError: 'KeyServiceNotConfigured',
  });
}
