import type { OperationRequest, Output } from '../operation.ts';

type Name = 'StartImageScan';

/** The scan is visible from here on: a waiter that asks for its findings at once finds it in progress. */
export async function startImageScan({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, imageId } = input;
  const { digest } = await core.scanning.start(call, { repositoryName, imageId });
  return {
    registryId: call.registry.accountId,
    repositoryName,
    imageId: { imageDigest: digest, imageTag: imageId.imageTag },
    imageScanStatus: { status: 'IN_PROGRESS' },
  };
}
