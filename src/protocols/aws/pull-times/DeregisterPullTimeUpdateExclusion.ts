import type { OperationRequest, Output } from '../operation.ts';

type Name = 'DeregisterPullTimeUpdateExclusion';

export async function deregisterPullTimeUpdateExclusion({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const { principalArn } = input;
  await core.pullTimeExclusions.deregister(call, principalArn);
  return { principalArn };
}
