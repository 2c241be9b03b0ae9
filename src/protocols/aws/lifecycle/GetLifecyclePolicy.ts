import type { OperationRequest, Output } from '../operation.ts';
import { policyView } from './policy-view.ts';

type Name = 'GetLifecyclePolicy';

export async function getLifecyclePolicy({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName } = input;
  return policyView(call, repositoryName, await core.lifecycle.getPolicy(call, repositoryName));
}
