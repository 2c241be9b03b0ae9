import type { OperationRequest, Output } from '../operation.ts';

type Name = 'DeleteRegistryPolicy';

/** Answers with the text that was deleted. */
export async function deleteRegistryPolicy({ core, call }: OperationRequest<Name>): Promise<Output<Name>> {
  return { registryId: call.registry.accountId, policyText: await core.policies.deleteRegistryPolicy(call) };
}
