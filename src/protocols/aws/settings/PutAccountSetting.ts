import type { OperationRequest, Output } from '../operation.ts';

type Name = 'PutAccountSetting';

export async function putAccountSetting({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { name, value } = input;
  await core.accountSettings.put(call, { name, value });
  return { name, value };
}
