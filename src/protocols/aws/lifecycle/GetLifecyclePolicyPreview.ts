import type { LifecyclePolicyPreviewResult, LifecyclePolicyPreviewSummary } from '@aws-sdk/client-ecr';
import type { PreviewAnswer } from '../../../core/lifecycle/lifecycle.ts';
import type { LifecyclePreviewImage } from '../../../core/lifecycle/lifecycle-records.ts';
import { invalidParameter } from '../errors.ts';
import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn, refusePaging } from '../paging.ts';

const name = 'GetLifecyclePolicyPreview';
const RESULTS_DEFAULT = 100;

/** What the policy would do, in the order in which it would; the images asked for, or a page of all. */
export async function getLifecyclePolicyPreview({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  const { repositoryName, imageIds, filter } = input;
  if (imageIds !== undefined) refusePaging(input, 'imageIds');
  const preview = await core.lifecycle.getPreview(call, {
    repositoryName,
    ...(imageIds && { imageIds }),
    tagStatus: filter?.tagStatus ?? 'ANY',
    after: placeIn(input.nextToken),
    limit: input.maxResults ?? RESULTS_DEFAULT,
  });
  return {
    registryId: call.registry.accountId,
    repositoryName,
    lifecyclePolicyText: preview.document,
    status: preview.status,
    nextToken: nextTokenOf(name, preview.next === undefined ? undefined : [String(preview.next)]),
    previewResults: preview.images.map(resultView),
    summary: summaryView(preview),
  };
}

function placeIn(token: string | undefined): number {
  const [place = '0'] = positionIn(name, token, 1) ?? [];
  if (/^[0-9]{1,15}$/.test(place)) return Number(place);
  throw invalidParameter('nextToken', `Member must be a token that ${name} returned`);
}

function resultView(image: LifecyclePreviewImage): LifecyclePolicyPreviewResult {
  return {
    imageTags: image.tags.length === 0 ? undefined : [...image.tags],
    imageDigest: image.digest,
    imagePushedAt: image.pushedAt,
    action: {
      type: image.action,
      targetStorageClass: image.action === 'TRANSITION' ? 'ARCHIVE' : undefined,
    },
    appliedRulePriority: image.rulePriority,
    storageClass: image.storageClass,
  };
}

function summaryView({ expiring, transitioning }: PreviewAnswer): LifecyclePolicyPreviewSummary {
  return {
    expiringImageTotalCount: expiring,
    transitioningImageTotalCounts:
      transitioning === 0 ? undefined : [{ targetStorageClass: 'ARCHIVE', imageTotalCount: transitioning }],
  };
}
