import type { OperationRequest, Output } from '../operation.ts';
import { imageFailureView } from './image-failure.ts';

type Name = 'BatchDeleteImage';

export async function batchDeleteImage({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, imageIds } = input;
  const deleted = await core.images.deleteMany(call, { repositoryName, imageIds });
  return { imageIds: deleted.imageIds, failures: deleted.failures.map(imageFailureView) };
}
