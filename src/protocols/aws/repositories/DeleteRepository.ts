import type { OperationRequest, Output } from '../operation.ts';
import { repositoryView } from './repository-view.ts';

type Name = 'DeleteRepository';

export async function deleteRepository({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, force = false } = input;
  return { repository: repositoryView(core, await core.repositories.delete(call, { repositoryName, force })) };
}
