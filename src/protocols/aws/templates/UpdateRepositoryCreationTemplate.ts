import type { OperationRequest, Output } from '../operation.ts';
import { templateSettingsIn, templateView } from './template-view.ts';

type Name = 'UpdateRepositoryCreationTemplate';

export async function updateRepositoryCreationTemplate({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const settings = templateSettingsIn(input);
  const template = await core.creationTemplates.update(call, { prefix: input.prefix, ...settings });
  return { registryId: call.registry.accountId, repositoryCreationTemplate: templateView(template) };
}
