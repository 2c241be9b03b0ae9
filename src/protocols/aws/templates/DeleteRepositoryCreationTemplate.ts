import type { OperationRequest, Output } from '../operation.ts';
import { templateView } from './template-view.ts';

type Name = 'DeleteRepositoryCreationTemplate';

export async function deleteRepositoryCreationTemplate({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const template = await core.creationTemplates.delete(call, input.prefix);
  return { registryId: call.registry.accountId, repositoryCreationTemplate: templateView(template) };
}
