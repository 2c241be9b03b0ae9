import type { OperationRequest, Output } from '../operation.ts';
import { repositoryOfArn } from './resource-arn.ts';

type Name = 'UntagResource';

export async function untagResource({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { registry, repositoryName } = repositoryOfArn(input.resourceArn);
  await core.repositories.untagResource({ ...call, registry }, { repositoryName, keys: input.tagKeys });
  return {};
}
