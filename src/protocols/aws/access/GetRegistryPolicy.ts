import type { OperationRequest, Output } from '../operation.ts';

type Name = 'GetRegistryPolicy';

export async function getRegistryPolicy({ core, call }: OperationRequest<Name>): Promise<Output<Name>> {
  return { registryId: call.registry.accountId, policyText: await core.policies.getRegistryPolicy(call) };
}
