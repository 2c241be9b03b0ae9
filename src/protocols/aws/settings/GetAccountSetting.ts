import type { OperationRequest, Output } from '../operation.ts';

type Name = 'GetAccountSetting';

export async function getAccountSetting({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { name } = input;
  return { name, value: await core.accountSettings.get(call, name) };
}
