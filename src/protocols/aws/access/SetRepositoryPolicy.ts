import type { OperationRequest, Output } from '../operation.ts';

type Name = 'SetRepositoryPolicy';

/** The text is stored and given back as it was sent. */
export async function setRepositoryPolicy({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, policyText, force = false } = input;
  await core.policies.putRepositoryPolicy(call, { repositoryName, policyText, force });
  return { registryId: call.registry.accountId, repositoryName, policyText };
}
