import type { OperationRequest, Output } from '../operation.ts';
import { repositoryOfArn } from './resource-arn.ts';
import { resourceTagsOf } from './resource-tags.ts';

type Name = 'TagResource';

export async function tagResource({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { registry, repositoryName } = repositoryOfArn(input.resourceArn);
  const tags = resourceTagsOf(input.tags);
  await core.repositories.tagResource({ ...call, registry }, { repositoryName, tags });
  return {};
}
