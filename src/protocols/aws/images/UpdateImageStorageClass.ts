import type { OperationRequest, Output } from '../operation.ts';

type Name = 'UpdateImageStorageClass';

/** Archives an image at once; restores one at once or, with ACTIVATING, soon. */
export async function updateImageStorageClass({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, imageId: asked, targetStorageClass: storageClass } = input;
  const { imageId, status } = await core.images.updateStorageClass(call, {
    repositoryName,
    imageId: asked,
    storageClass,
  });
  return { registryId: call.registry.accountId, repositoryName, imageId, imageStatus: status };
}
