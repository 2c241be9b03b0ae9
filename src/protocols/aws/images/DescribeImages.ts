import type { ImageDetail } from '@aws-sdk/client-ecr';
import type { Call } from '../../../core/access/caller.ts';
import type { TaggedImage } from '../../../core/images/image-records.ts';
import { describeScan } from '../../../core/scanning/scan-description.ts';
import type { ImageScan } from '../../../core/scanning/scan-records.ts';
import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn, refusePaging } from '../paging.ts';
import { summaryView } from '../scanning/DescribeImageScanFindings.ts';

const name = 'DescribeImages';
const RESULTS_DEFAULT = 100;

/** The images asked for, or a page of all: one entry for each digest, with all its tags. */
export async function describeImages({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  const { repositoryName, imageIds } = input;
  const viewOf = async (images: readonly TaggedImage[]) => {
    const scans = await core.scanning.summaries(call, images);
    return images.map((image) => ({ ...imageDetail(call, repositoryName, image), ...scanDetail(scans.get(image.id)) }));
  };
  if (imageIds !== undefined) {
    refusePaging(input, 'imageIds');
    const images = await core.images.describeMany(call, { repositoryName, imageIds });
    return { imageDetails: await viewOf(images) };
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
    imageDetails: await viewOf(page.images),
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

/** Basic scanning says nothing here (ECR API, ImageDetail): DescribeImageScanFindings does. */
function scanDetail(scan: ImageScan | undefined): Pick<ImageDetail, 'imageScanStatus' | 'imageScanFindingsSummary'> {
  return {
    imageScanStatus: scan && { status: scan.status, description: describeScan(scan) },
    imageScanFindingsSummary: scan?.result && summaryView(scan.result),
  };
}
