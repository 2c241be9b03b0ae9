import type { OperationRequest, Output } from '../operation.ts';
import { imageFailureView } from './image-failure.ts';

type Name = 'BatchGetImage';

export async function batchGetImage({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, imageIds, acceptedMediaTypes } = input;
  const { images, failures } = await core.images.getMany(call, {
    repositoryName,
    imageIds,
    ...(acceptedMediaTypes && { acceptedMediaTypes }),
  });
  return {
    images: images.map(({ imageId, manifest }) => ({
      registryId: call.registry.accountId,
      repositoryName,
      imageId,
      imageManifest: Buffer.from(manifest.bytes).toString('utf8'),
      imageManifestMediaType: manifest.mediaType,
    })),
    failures: failures.map(imageFailureView),
  };
}
