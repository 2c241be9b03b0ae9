import { refuse } from '../errors.ts';
import type { Layer } from '../layers/layer-records.ts';
import type { Records } from '../metadata-store.ts';
import type { QuotaGuard } from '../quotas/quota-guard.ts';
import { refuseOverQuota } from '../quotas/quotas.ts';
import type { Repository } from '../repositories/repository-records.ts';
import type { Digest } from '../values/digest.ts';
import type { Descriptor, Manifest } from '../values/manifest.ts';
import { isIndex } from '../values/media-type.ts';
import type { Change } from './image-changes.ts';
import type { Image, TaggedImage } from './image-records.ts';
import { bringBytesBack, reactivate } from './storage-class.ts';

/** An image that its repository does not have. */
export interface UnrecordedImage {
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** The manifest as it came. */
  readonly bytes: Uint8Array;
  readonly pushedAt: Date;
}

/**
 * Records an image together with what it points at, all of which must be there. Refuses with layers-not-found,
 * referenced-images-not-found and limit-exceeded. What it points at and is archived comes back for it.
 */
export async function recordImage(
  records: Records,
  change: Pick<Change, 'repository' | 'at' | 'cause'>,
  { digest, manifest, bytes, pushedAt }: UnrecordedImage,
  quotas: QuotaGuard,
): Promise<Image> {
  const { repository } = change;
  const [layers, children] = await Promise.all([
    requireBlobs(records, repository, manifest),
    requireChildren(records, repository, manifest),
  ]);
  await quotas.admitImage(records, repository);
  const present = new Map(layers.map((layer) => [layer.digest, layer.bytes]));
  const childrenBytes = children.map(({ imageBytes }) => imageBytes);
  // Sizes are those of the bytes: what a manifest claims is the client's word, and may add up to more than a number holds.
  const blobBytes = manifest.blobs.reduce((sum, blob) => sum + present.get(blob.digest)!, 0);
  const [image] = await Promise.all([
    records.images.insert(
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
    ),
    records.history.forgetImage(repository.id, digest),
  ]);
  if (!image) throw new Error(`Image ${digest} appeared within a transaction`);
  for (const child of children) if (child.status !== 'ACTIVE') await reactivate(records, change, child);
  if (layers.some(({ archived }) => archived)) await bringBytesBack(records, change, image);
  return image;
}

/** Refuses with limit-exceeded when an image has as many tags as one may have. */
export async function requireRoomForTag(
  records: Records,
  { id, digest }: Image,
  { limits }: Pick<QuotaGuard, 'limits'>,
): Promise<void> {
  if ((await records.images.countTags(id)) < limits['tags-per-image']) return;
  refuseOverQuota(limits, 'tags-per-image', `The image with digest '${digest}' can have`, 'tags');
}

/** @returns every layer of the manifest that is in the repository, as those that are not foreign must be */
async function requireBlobs(records: Records, repository: Repository, { blobs, foreign }: Manifest): Promise<Layer[]> {
  const asked = uniqueDigests([...blobs, ...foreign]).map(({ digest }) => digest);
  const found = await records.layers.findMany(repository.id, asked);
  const present = new Set(found.map(({ digest }) => digest));
  const digests = uniqueDigests(blobs)
    .map(({ digest }) => digest)
    .filter((digest) => !present.has(digest));
  if (digests.length > 0) refuse({ kind: 'layers-not-found', digests, ...placeOf(repository) });
  return found;
}

/** @returns the children, which must all be in the repository */
async function requireChildren(records: Records, repository: Repository, manifest: Manifest): Promise<TaggedImage[]> {
  const wanted = uniqueDigests(manifest.children).map(({ digest }) => digest);
  const children = await records.images.findMany(repository.id, wanted);
  const found = new Set(children.map(({ digest }) => digest));
  const digests = wanted.filter((digest) => !found.has(digest));
  if (digests.length > 0) refuse({ kind: 'referenced-images-not-found', digests, ...placeOf(repository) });
  return children;
}

function placeOf({ name, registry }: Repository) {
  return { repositoryName: name, registryId: registry.accountId };
}

function uniqueDigests(descriptors: readonly Descriptor[]): Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}
