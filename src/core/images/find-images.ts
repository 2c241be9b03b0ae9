import type { Call } from '../access/caller.ts';
import { refuse } from '../errors.ts';
import type { Reads } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { DIGEST_PATTERN, type Digest, hasDigestShape, parseDigest } from '../values/digest.ts';
import { type ImageIdentifier, isTag } from '../values/image-reference.ts';
import type { TaggedImage } from './image-records.ts';
import type { ImageFailure } from './images.ts';

/** An id that leads to an image of the repository, or why it does not. */
export type Resolved = ResolvedImage | ImageFailure;

export interface ResolvedImage {
  readonly image: TaggedImage;
  readonly id: ImageIdentifier;
}

/** Resolves the ids of a batch, in their order, each on its own. */
export async function resolveImages(
  records: Pick<Reads, 'images'>,
  repository: Repository,
  ids: readonly ImageIdentifier[],
): Promise<Resolved[]> {
  const tags = [...new Set(ids.map(({ imageTag }) => imageTag).filter((tag) => tag !== undefined))];
  const tagged = new Map(
    (await records.images.findTags(repository.id, tags)).map(({ tag, digest }) => [tag, digest] as const),
  );
  const digests = ids.map((id) => digestOfId(id, tagged)).filter((digest) => digest !== undefined);
  const images = await records.images.findMany(repository.id, [...new Set(digests)]);
  const byDigest = new Map(images.map((image) => [image.digest, image]));
  return ids.map((id) => {
    const failure = malformed(id) ?? disagreeing(id, tagged);
    if (failure) return failure;
    const digest = digestOfId(id, tagged);
    const image = digest && byDigest.get(digest);
    return image ? { image, id } : failureOf(id, 'ImageNotFound', 'Requested image not found');
  });
}

export function failureOf(imageId: ImageIdentifier, code: ImageFailure['code'], reason: string): ImageFailure {
  return { imageId, code, reason };
}

export function refuseImage(call: Call, repositoryName: string, imageId: ImageIdentifier): never {
  return refuse({ kind: 'image-not-found', imageId, repositoryName, registryId: call.registry.accountId });
}

/**
 * What is a failure of one id in a batch refuses the whole elsewhere.
 * @param parameter that the id came in
 */
export function refuseFailure(
  call: Call,
  repositoryName: string,
  { imageId, code, reason }: ImageFailure,
  parameter: string,
): never {
  if (code === 'ImageNotFound' || code === 'ImageTagDoesNotMatchDigest') {
    return refuseImage(call, repositoryName, imageId);
  }
  return refuse({ kind: 'invalid-parameter', parameter, constraint: reason });
}

function digestOfId({ imageDigest, imageTag }: ImageIdentifier, tagged: Map<string, Digest>): Digest | undefined {
  return imageTag === undefined ? parseDigest(imageDigest ?? '') : tagged.get(imageTag);
}

/** Why an id can lead to nothing. */
export function malformed(id: ImageIdentifier): ImageFailure | undefined {
  const { imageDigest, imageTag } = id;
  if (imageDigest === undefined && imageTag === undefined) {
    const reason = 'Invalid request parameters: both tag and digest cannot be null';
    return failureOf(id, 'MissingDigestAndTag', reason);
  }
  if (imageDigest !== undefined && !hasDigestShape(imageDigest)) {
    const reason = `Invalid request parameters: image digest should satisfy the regex '${DIGEST_PATTERN}'`;
    return failureOf(id, 'InvalidImageDigest', reason);
  }
  if (imageTag !== undefined && !isTag(imageTag)) {
    const reason = "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'";
    return failureOf(id, 'InvalidImageTag', reason);
  }
  return undefined;
}

function disagreeing(id: ImageIdentifier, tagged: Map<string, Digest>): ImageFailure | undefined {
  const { imageDigest, imageTag } = id;
  if (imageDigest === undefined || imageTag === undefined) return undefined;
  const actual = tagged.get(imageTag);
  if (actual === undefined || actual === imageDigest) return undefined;
  const reason = `Requested image tag '${imageTag}' does not point to digest '${imageDigest}'`;
  return failureOf(id, 'ImageTagDoesNotMatchDigest', reason);
}
