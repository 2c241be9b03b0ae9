import type { OperationRequest, Output } from '../operation.ts';

type Name = 'PutRegistryPolicy';

/** The text is stored and given back as it was sent. */
export async function putRegistryPolicy({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { policyText } = input;
  await core.policies.putRegistryPolicy(call, policyText);
  return { registryId: call.registry.accountId, policyText };
}
