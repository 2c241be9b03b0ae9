import type { OperationRequest, Output } from '../operation.ts';

type Name = 'PutImageScanningConfiguration';

/** Deprecated, and still what most tools send: it counts besides the registry's rules. */
export async function putImageScanningConfiguration({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, imageScanningConfiguration } = input;
  const { scanOnPush = false } = imageScanningConfiguration;
  const repository = await core.scanning.putScanOnPush(call, { repositoryName, scanOnPush });
  return {
    registryId: repository.registry.accountId,
    repositoryName: repository.name,
    imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
  };
}
