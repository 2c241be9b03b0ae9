import type { OperationRequest, Output } from '../operation.ts';

type Name = 'RegisterPullTimeUpdateExclusion';

export async function registerPullTimeUpdateExclusion({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const { principalArn, createdAt } = await core.pullTimeExclusions.register(call, input.principalArn);
  return { principalArn, createdAt };
}
