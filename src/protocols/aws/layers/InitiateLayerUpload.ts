import type { OperationRequest, Output } from '../operation.ts';

type Name = 'InitiateLayerUpload';

export async function initiateLayerUpload({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { uploadId, partBytes } = await core.uploads.initiate(call, { repositoryName: input.repositoryName });
  return { uploadId, partSize: partBytes };
}
