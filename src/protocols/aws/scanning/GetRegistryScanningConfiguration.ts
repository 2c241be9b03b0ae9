import type { OperationRequest, Output } from '../operation.ts';
import { scanningView } from './scanning-view.ts';

type Name = 'GetRegistryScanningConfiguration';

export async function getRegistryScanningConfiguration({ core, call }: OperationRequest<Name>): Promise<Output<Name>> {
  const scanning = await core.scanning.registry(call);
  return { registryId: call.registry.accountId, scanningConfiguration: scanningView(scanning) };
}
