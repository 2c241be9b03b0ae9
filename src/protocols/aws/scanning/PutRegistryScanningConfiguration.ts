import type { OperationRequest, Output } from '../operation.ts';
import { scanningView } from './scanning-view.ts';

type Name = 'PutRegistryScanningConfiguration';

/** Replaces the configuration as a whole. */
export async function putRegistryScanningConfiguration({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const { scanType = 'BASIC', rules = [] } = input;
  const scanning = {
    scanType,
    rules: rules.map(({ scanFrequency, repositoryFilters }) => ({
      frequency: scanFrequency,
      filters: repositoryFilters.map(({ filter }) => filter),
    })),
  };
  await core.scanning.putRegistry(call, scanning);
  return { registryScanningConfiguration: scanningView(scanning) };
}
