import type { Repository as WireRepository } from '@aws-sdk/client-ecr';
import type { Core } from '../../../core/core.ts';
import type { ExclusionFilter, Repository } from '../../../core/repositories/repository-records.ts';
import { repositoryArn } from '../../../core/values/registry.ts';

/** A repository as the ECR API shows it. */
export function repositoryView(core: Core, repository: Repository): WireRepository {
  const { registry, name } = repository;
  return {
    repositoryArn: repositoryArn(registry, name),
    registryId: registry.accountId,
    repositoryName: name,
    repositoryUri: core.addresses.repositoryUri(registry, name),
    createdAt: repository.createdAt,
    imageTagMutability: repository.imageTagMutability,
    imageTagMutabilityExclusionFilters: exclusionFiltersView(repository.exclusionFilters),
    imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
    encryptionConfiguration: { ...repository.encryption },
  };
}

/** Absent rather than empty. */
export function exclusionFiltersView(filters: readonly ExclusionFilter[]): ExclusionFilter[] | undefined {
  return filters.length === 0 ? undefined : [...filters];
}
