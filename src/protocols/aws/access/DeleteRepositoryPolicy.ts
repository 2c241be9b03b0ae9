import type { OperationRequest, Output } from '../operation.ts';

type Name = 'DeleteRepositoryPolicy';

/** Answers with the text that was deleted. */
export async function deleteRepositoryPolicy({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName } = input;
  const policyText = await core.policies.deleteRepositoryPolicy(call, repositoryName);
  return { registryId: call.registry.accountId, repositoryName, policyText };
}
