import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn } from '../paging.ts';

const name = 'ListImages';
const RESULTS_DEFAULT = 100;

/** One identifier for each pair of digest and tag; the digest alone for an untagged image. */
export async function listImages({ core, call, input }: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  const position = positionIn(name, input.nextToken, 2);
  const page = await core.images.list(call, {
    repositoryName: input.repositoryName,
    tagStatus: input.filter?.tagStatus ?? 'ANY',
    imageStatus: input.filter?.imageStatus ?? 'ACTIVE',
    limit: input.maxResults ?? RESULTS_DEFAULT,
    ...(position && { after: { digest: position[0] ?? '', tag: position[1] ?? '' } }),
  });
  return {
    imageIds: page.images.map(({ digest, tag }) => ({ imageDigest: digest, imageTag: tag === '' ? undefined : tag })),
    nextToken: nextTokenOf(name, page.next && [page.next.digest, page.next.tag]),
  };
}
