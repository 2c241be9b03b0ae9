import { invalidParameter } from '../errors.ts';
import type { OperationRequest, Output } from '../operation.ts';

type Name = 'UploadLayerPart';

/** Decoded (ECR API reference, UploadLayerPart, layerPartBlob). */
const PART_BYTES_MAX = 20 * 1024 * 1024;

export async function uploadLayerPart({ core, call, input, layerPart }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, uploadId, partFirstByte: firstByte, partLastByte: lastByte } = input;
  const { chunks, bytes } = layerPart ?? { chunks: [], bytes: 0 };
  if (bytes > PART_BYTES_MAX) {
    throw invalidParameter('layerPartBlob', `Member must have length less than or equal to ${PART_BYTES_MAX}`);
  }
  const part = { repositoryName, uploadId, firstByte, lastByte, chunks, bytes };
  const { lastByteReceived } = await core.uploads.uploadPart(call, part);
  return { registryId: call.registry.accountId, repositoryName, uploadId, lastByteReceived };
}
