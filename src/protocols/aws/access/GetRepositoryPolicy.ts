import type { OperationRequest, Output } from '../operation.ts';

type Name = 'GetRepositoryPolicy';

export async function getRepositoryPolicy({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName } = input;
  const policyText = await core.policies.getRepositoryPolicy(call, repositoryName);
  return { registryId: call.registry.accountId, repositoryName, policyText };
}
