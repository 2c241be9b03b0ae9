import type { OperationRequest, Output } from '../operation.ts';

type Name = 'CompleteLayerUpload';

export async function completeLayerUpload({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, uploadId, layerDigests: digests } = input;
  const { digest } = await core.uploads.complete(call, { repositoryName, uploadId, digests });
  return { registryId: call.registry.accountId, repositoryName, uploadId, layerDigest: digest };
}
