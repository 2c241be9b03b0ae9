import type { OperationRequest, Output } from '../operation.ts';

type Name = 'PutLifecyclePolicy';

/** The text comes back as it is stored: without blanks, the rules in the order of their priorities. */
export async function putLifecyclePolicy({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, lifecyclePolicyText: document } = input;
  const lifecyclePolicyText = await core.lifecycle.putPolicy(call, { repositoryName, document });
  return { registryId: call.registry.accountId, repositoryName, lifecyclePolicyText };
}
