import type { ImageDetail } from '@aws-sdk/client-ecr';
import type { Call } from '../../../core/access/caller.ts';
import type { TaggedImage } from '../../../core/images/image-records.ts';
import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn, refusePaging } from '../paging.ts';

const name = 'DescribeImages';
const RESULTS_DEFAULT = 100;

/** The images asked for, or a page of all: one entry for each digest, with all its tags. */
export async function describeImages({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  const { repositoryName, imageIds } = input;
  const view = (image: TaggedImage) => imageDetail(call, repositoryName, image);
  if (imageIds !== undefined) {
    refusePaging(input, 'imageIds');
    const images = await core.images.describeMany(call, { repositoryName, imageIds });
    return { imageDetails: images.map(view) };
  }
  const [after = ''] = positionIn(name, input.nextToken, 1) ?? [];
  const page = await core.images.describe(call, {
    repositoryName,
    tagStatus: input.filter?.tagStatus ?? 'ANY',
    imageStatus: input.filter?.imageStatus ?? 'ACTIVE',
    after,
    limit: input.maxResults ?? RESULTS_DEFAULT,
  });
  return {
    imageDetails: page.images.map(view),
    nextToken: nextTokenOf(name, page.next === undefined ? undefined : [page.next]),
  };
}

function imageDetail({ registry }: Call, repositoryName: string, image: TaggedImage): ImageDetail {
  return {
    registryId: registry.accountId,
    repositoryName,
    imageDigest: image.digest,
    imageTags: image.tags.length === 0 ? undefined : [...image.tags],
    imageSizeInBytes: image.imageBytes,
    imagePushedAt: image.pushedAt,
    imageManifestMediaType: image.mediaType,
    artifactMediaType: image.artifactType,
    subjectManifestDigest: image.subjectDigest,
    imageStatus: image.status,
    lastArchivedAt: image.archivedAt,
    lastActivatedAt: image.activatedAt,
    lastRecordedPullTime: image.pulledAt,
  };
}
