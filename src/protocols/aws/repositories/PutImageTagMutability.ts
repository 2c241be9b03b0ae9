import type { OperationRequest, Output } from '../operation.ts';
import { exclusionFiltersView } from './repository-view.ts';

type Name = 'PutImageTagMutability';

/** Replaces mutability and filters together. */
export async function putImageTagMutability({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, imageTagMutability, imageTagMutabilityExclusionFilters: exclusionFilters } = input;
  const repository = await core.repositories.putTagMutability(call, {
    repositoryName,
    imageTagMutability,
    ...(exclusionFilters && { exclusionFilters }),
  });
  return {
    registryId: repository.registry.accountId,
    repositoryName: repository.name,
    imageTagMutability: repository.imageTagMutability,
    imageTagMutabilityExclusionFilters: exclusionFiltersView(repository.exclusionFilters),
  };
}
