import type { BlobStore } from '../blob-store.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { JobPayloads } from '../jobs/job-kinds.ts';
import type { Blob } from '../layers/layer-records.ts';
import { isIndex } from '../values/media-type.ts';
import type { Image } from './image-records.ts';
import { activate } from './storage-class.ts';

/** More layers than a manifest has room to name. */
const LAYERS_MAX = 100_000;

type Bytes = Pick<CoreDependencies, 'metadata' | 'blobs' | 'now'>;

/**
 * The job 'archive-bytes': takes the bytes of an archived image to the archive, but none that another image, a push under
 * way or the memory of a deleted image needs where they are. Without an archive they stay. Facts go first here: a blob that
 * is marked is read wherever it lies, and who restores an image knows by the mark what has to come back.
 *
 * @param signal ends it between two blobs; what was moved stays moved
 */
export async function archiveBytes(
  { metadata, blobs, now }: Bytes,
  { repositoryId, digest }: JobPayloads['archive-bytes'],
  signal: AbortSignal,
): Promise<void> {
  if (!blobs.archive) return;
  const marked = await metadata.transaction('alone', async (records) => {
    const image = await records.images.find(repositoryId, digest);
    if (image?.status !== 'ARCHIVED') return [];
    await records.blobs.markArchived(image.id, now());
    return records.blobs.archivedOf(image.id, LAYERS_MAX);
  });
  for (const blob of marked) {
    signal.throwIfAborted();
    await archiveBlob({ metadata, blobs }, blob);
  }
}

async function archiveBlob(
  { metadata, blobs }: Pick<Bytes, 'metadata' | 'blobs'>,
  { id, location }: Blob,
): Promise<void> {
  if (!(await metadata.read.blobs.isArchived(id))) return;
  await blobs.archive?.(location);
  // Whoever needs it again takes the mark off, and may have found the bytes still in their place.
  if (!(await metadata.read.blobs.isArchived(id))) await blobs.restore?.(location);
}

/**
 * The job 'restore-image': brings the bytes of an image back, and those of what an index lists; then an image that waited for them
 * is active.
 *
 * @param signal ends it between two blobs
 */
export async function restoreBytes(
  dependencies: Bytes,
  { repositoryId, digest }: JobPayloads['restore-image'],
  signal: AbortSignal,
): Promise<void> {
  const image = await dependencies.metadata.read.images.find(repositoryId, digest);
  if (image) await bringBack(dependencies, image, signal);
}

async function bringBack(dependencies: Bytes, image: Image, signal: AbortSignal): Promise<void> {
  const { metadata, blobs } = dependencies;
  if (image.status === 'ARCHIVED') return;
  const children = isIndex(image.mediaType) ? await metadata.read.images.childrenOf(image.id) : [];
  for (const child of children) await bringBack(dependencies, child, signal);
  for (const blob of await metadata.read.blobs.archivedOf(image.id, LAYERS_MAX)) {
    signal.throwIfAborted();
    await restoreBlob(blobs, blob);
    await metadata.transaction('own-rows', (records) => records.blobs.unmarkArchived(blob.id));
    // A move to the archive that saw the mark may have followed; one that begins now will see that it is gone.
    await restoreBlob(blobs, blob);
  }
  if (image.status === 'ACTIVATING') await endActivation(dependencies, image);
}

/** Rejects when there are no bytes: an image must not be called active without them. */
async function restoreBlob(blobs: BlobStore, { location, digest }: Blob): Promise<void> {
  if (!blobs.restore) throw new Error(`Blob ${digest} is archived, and the registry was started without its archive`);
  if (!(await blobs.restore(location))) throw new Error(`Blob ${digest} has no bytes at ${location}, here or archived`);
}

async function endActivation({ metadata, now }: Bytes, { repositoryId, digest }: Image): Promise<void> {
  await metadata.transaction('repository', async (records) => {
    const repository = await records.repositories.findById(repositoryId);
    if (!repository) return;
    const image = await records.images.find(repository.id, digest);
    if (image?.status === 'ACTIVATING') await activate(records, { repository, at: now(), cause: 'restore' }, image);
  });
}
