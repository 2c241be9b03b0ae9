import type { OperationRequest, Output } from '../operation.ts';
import { repositoryOfArn } from './resource-arn.ts';
import { resourceTagsView } from './resource-tags.ts';

type Name = 'ListTagsForResource';

export async function listTagsForResource({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { registry, repositoryName } = repositoryOfArn(input.resourceArn);
  const { resourceTags } = await core.repositories.get({ ...call, registry }, repositoryName);
  return { tags: resourceTagsView(resourceTags) };
}
