import type { OperationRequest, Output } from '../operation.ts';

type Name = 'PutImage';

export async function putImage({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, imageManifest, imageManifestMediaType, imageTag, imageDigest } = input;
  const { digest, mediaType } = await core.images.put(call, {
    repositoryName,
    manifest: Buffer.from(imageManifest, 'utf8'),
    ...(imageManifestMediaType !== undefined && { mediaType: imageManifestMediaType }),
    ...(imageTag !== undefined && { tag: imageTag }),
    ...(imageDigest !== undefined && { digest: imageDigest }),
  });
  return {
    image: {
      registryId: call.registry.accountId,
      repositoryName,
      imageId: { imageDigest: digest, imageTag },
      imageManifest,
      imageManifestMediaType: mediaType,
    },
  };
}
