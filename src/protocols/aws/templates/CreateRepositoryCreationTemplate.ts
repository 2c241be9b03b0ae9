import type { OperationRequest, Output } from '../operation.ts';
import { templateSettingsIn, templateView } from './template-view.ts';

type Name = 'CreateRepositoryCreationTemplate';

export async function createRepositoryCreationTemplate({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const { appliedFor = [], ...settings } = templateSettingsIn(input);
  const template = await core.creationTemplates.create(call, { prefix: input.prefix, appliedFor, ...settings });
  return { registryId: call.registry.accountId, repositoryCreationTemplate: templateView(template) };
}
