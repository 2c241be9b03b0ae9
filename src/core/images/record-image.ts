import { refuse } from '../errors.ts';
import type { Records } from '../metadata-store.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { Digest } from '../values/digest.ts';
import type { Descriptor, Manifest } from '../values/manifest.ts';
import { isIndex } from '../values/media-type.ts';
import type { Image } from './image-records.ts';

/** An image that its repository does not have. */
export interface UnrecordedImage {
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** The manifest as it came. */
  readonly bytes: Uint8Array;
  readonly pushedAt: Date;
}

/**
 * Records an image together with what it points at, all of which must be there. Refuses with layers-not-found and
 * referenced-images-not-found.
 */
export async function recordImage(
  records: Records,
  repository: Repository,
  { digest, manifest, bytes, pushedAt }: UnrecordedImage,
): Promise<Image> {
  const present = await requireBlobs(records, repository, manifest);
  const childrenBytes = await requireChildren(records, repository, manifest);
  // Sizes are those of the bytes: what a manifest claims is the client's word, and may add up to more than a number holds.
  const blobBytes = manifest.blobs.reduce((sum, blob) => sum + present.get(blob.digest)!, 0);
  const image = await records.images.insert(
    {
      repositoryId: repository.id,
      digest,
      mediaType: manifest.mediaType,
      ...(manifest.artifactType && { artifactType: manifest.artifactType }),
      ...(manifest.subject && { subjectDigest: manifest.subject.digest }),
      manifestBytes: bytes.byteLength,
      imageBytes: isIndex(manifest.mediaType) ? Math.max(0, ...childrenBytes, blobBytes) : blobBytes,
      ...(manifest.annotations && { annotations: manifest.annotations }),
      pushedAt,
    },
    bytes,
    uniqueDigests([...manifest.foreign.filter((layer) => present.has(layer.digest)), ...manifest.blobs]),
    uniqueDigests(manifest.children).map((child) => child.digest),
  );
  if (!image) throw new Error(`Image ${digest} appeared within a transaction`);
  await records.history.forgetImage(repository.id, digest);
  return image;
}

/** ECR service quotas, "Tags per image". */
const TAGS_PER_IMAGE_MAX = 1000;

/** Refuses with limit-exceeded when an image has as many tags as one may have. */
export async function requireRoomForTag(records: Records, { id, digest }: Image): Promise<void> {
  if ((await records.images.countTags(id)) < TAGS_PER_IMAGE_MAX) return;
  const reason = `The image with digest '${digest}' can have at most ${TAGS_PER_IMAGE_MAX} tags`;
  refuse({ kind: 'limit-exceeded', reason });
}

/** @returns the size of every layer of the manifest that is in the repository, as those that are not foreign must be */
async function requireBlobs(
  records: Records,
  repository: Repository,
  { blobs, foreign }: Manifest,
): Promise<Map<Digest, number>> {
  const asked = uniqueDigests([...blobs, ...foreign]).map(({ digest }) => digest);
  const found = await records.layers.findMany(repository.id, asked);
  const present = new Map(found.map(({ digest, bytes }) => [digest, bytes]));
  const digests = uniqueDigests(blobs)
    .map(({ digest }) => digest)
    .filter((digest) => !present.has(digest));
  if (digests.length > 0) refuse({ kind: 'layers-not-found', digests, ...placeOf(repository) });
  return present;
}

/** @returns the sizes of the children, which must all be in the repository */
async function requireChildren(records: Records, repository: Repository, manifest: Manifest): Promise<number[]> {
  const wanted = uniqueDigests(manifest.children).map(({ digest }) => digest);
  const children = await records.images.findMany(repository.id, wanted);
  const found = new Set(children.map(({ digest }) => digest));
  const digests = wanted.filter((digest) => !found.has(digest));
  if (digests.length > 0) refuse({ kind: 'referenced-images-not-found', digests, ...placeOf(repository) });
  return children.map(({ imageBytes }) => imageBytes);
}

function placeOf({ name, registry }: Repository) {
  return { repositoryName: name, registryId: registry.accountId };
}

function uniqueDigests(descriptors: readonly Descriptor[]): Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}
