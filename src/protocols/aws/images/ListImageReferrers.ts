import type { ImageReferrer } from '@aws-sdk/client-ecr';
import type { Image } from '../../../core/images/image-records.ts';
import { DIGEST_PATTERN, parseDigest } from '../../../core/values/digest.ts';
import { invalidParameter } from '../errors.ts';
import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn } from '../paging.ts';

const name = 'ListImageReferrers';
const RESULTS_DEFAULT = 20;

/** What names the subject as its own; the subject need not exist, then the list is empty. */
export async function listImageReferrers({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  const subject = parseDigest(input.subjectId.imageDigest);
  if (subject === undefined) {
    const pattern = `Member must satisfy regular expression pattern: ${DIGEST_PATTERN}`;
    throw invalidParameter('subjectId.imageDigest', `${pattern}, and be a sha256 or sha512 digest`);
  }
  const [after = ''] = positionIn(name, input.nextToken, 1) ?? [];
  const artifactTypes = input.filter?.artifactTypes ?? [];
  const page = await core.images.referrers(call, {
    repositoryName: input.repositoryName,
    subject,
    imageStatus: input.filter?.artifactStatus ?? 'ACTIVE',
    after,
    limit: input.maxResults ?? RESULTS_DEFAULT,
    ...(artifactTypes.length > 0 && { artifactTypes }),
  });
  return {
    referrers: page.referrers.map(referrerView),
    nextToken: nextTokenOf(name, page.next === undefined ? undefined : [page.next]),
  };
}

function referrerView(image: Image): ImageReferrer {
  return {
    digest: image.digest,
    mediaType: image.mediaType,
    artifactType: image.artifactType,
    size: image.manifestBytes,
    annotations: image.annotations && { ...image.annotations },
    artifactStatus: image.status,
  };
}
