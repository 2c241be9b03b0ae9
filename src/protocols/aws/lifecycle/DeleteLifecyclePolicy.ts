import type { OperationRequest, Output } from '../operation.ts';
import { policyView } from './policy-view.ts';

type Name = 'DeleteLifecyclePolicy';

/** Answers with what was deleted. */
export async function deleteLifecyclePolicy({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName } = input;
  return policyView(call, repositoryName, await core.lifecycle.deletePolicy(call, repositoryName));
}
