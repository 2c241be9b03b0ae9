import type { ImageFailure as WireImageFailure } from '@aws-sdk/client-ecr';
import type { ImageFailure } from '../../../core/images/images.ts';

/** What went wrong with one of the images of a batch; the call as a whole succeeds. */
export function imageFailureView({ imageId, code, reason }: ImageFailure): WireImageFailure {
  return { imageId, failureCode: code, failureReason: reason };
}
