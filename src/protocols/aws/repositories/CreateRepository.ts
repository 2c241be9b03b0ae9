import type { CreateRepositoryInput } from '../../../core/repositories/create-repository.ts';
import type { Input, OperationRequest, Output } from '../operation.ts';
import { repositoryView } from './repository-view.ts';
import { resourceTagsOf } from './resource-tags.ts';

type Name = 'CreateRepository';

export async function createRepository({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  return { repository: repositoryView(core, await core.repositories.create(call, settingsIn(input))) };
}

function settingsIn(input: Input<Name>): CreateRepositoryInput {
  const { repositoryName, tags, imageTagMutability, imageTagMutabilityExclusionFilters: exclusionFilters } = input;
  const scanOnPush = input.imageScanningConfiguration?.scanOnPush;
  return {
    repositoryName,
    ...(tags && { tags: resourceTagsOf(tags) }),
    ...(imageTagMutability && { imageTagMutability }),
    ...(exclusionFilters && { exclusionFilters }),
    ...(scanOnPush !== undefined && { scanOnPush }),
    ...(input.encryptionConfiguration && { encryption: input.encryptionConfiguration }),
  };
}
