import type { OperationRequest, Output } from '../operation.ts';

type Name = 'GetDownloadUrlForLayer';

/** A link that works for an hour and needs no credentials: the blob store's, or one under the host that the client reached us by. */
export async function getDownloadUrlForLayer({
  core,
  call,
  input,
  baseUrl,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const { repositoryName, layerDigest } = input;
  const { path, url } = await core.downloadLinks.create(call, { repositoryName, digest: layerDigest });
  return { downloadUrl: url ?? `${baseUrl}${path}`, layerDigest };
}
