import type { OperationRequest, Output } from '../operation.ts';

type Name = 'StartLifecyclePolicyPreview';

/** The text comes back as it was sent; without one the stored policy is previewed. */
export async function startLifecyclePolicyPreview({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, lifecyclePolicyText: document } = input;
  const lifecyclePolicyText = await core.lifecycle.startPreview(call, {
    repositoryName,
    ...(document !== undefined && { document }),
  });
  return { registryId: call.registry.accountId, repositoryName, lifecyclePolicyText, status: 'IN_PROGRESS' };
}
