import type { OperationRequest, Output } from '../operation.ts';

type Name = 'BatchCheckLayerAvailability';

/** Malformed digests are failures of a call that succeeds; well-formed ones that are not there are UNAVAILABLE. */
export async function batchCheckLayerAvailability({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, layerDigests: digests } = input;
  const { layers, failures } = await core.layers.checkAvailability(call, { repositoryName, digests });
  return {
    layers: layers.map(({ digest, availability, bytes, mediaType }) => ({
      layerDigest: digest,
      layerAvailability: availability,
      layerSize: bytes,
      mediaType,
    })),
    failures: failures.map(({ digest, code, reason }) => ({
      layerDigest: digest,
      failureCode: code,
      failureReason: reason,
    })),
  };
}
