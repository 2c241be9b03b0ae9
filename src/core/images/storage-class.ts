import { announce } from '../events/announce.ts';
import type { StorageClassEvent } from '../events/registry-event.ts';
import type { Records } from '../metadata-store.ts';
import { startReplication } from '../replication/start-replication.ts';
import { scanRestored } from '../scanning/start-scan.ts';
import { isIndex } from '../values/media-type.ts';
import { type Change, letReferrersFollow } from './image-changes.ts';
import type { Image, ImageStatus } from './image-records.ts';

type Moment = Pick<Change, 'repository' | 'at' | 'cause'>;

/**
 * Archives an active image: it can no longer be pulled, and its bytes go to the archive soon after. Its referrers follow.
 * The caller has seen that it is active and that `activeIndexesOf` finds none.
 */
export async function archiveImage(records: Records, change: Change, image: Image): Promise<void> {
  await records.images.setStatus(image.id, { status: 'ARCHIVED', archivedAt: change.at });
  await records.layers.withdraw(image);
  await announce(records, change.repository.registry, storageClassEvent('image-archived', change, image), change.at);
  await enqueue(records, 'archive-bytes', change, image);
  await letReferrersFollow(records, change, image, 'archived');
}

/**
 * Restores an archived image, and with an index what it lists. It is active at once when no byte has to come back for
 * it; else it is `ACTIVATING` until they have.
 */
export async function restoreImage(
  records: Records,
  change: Moment,
  image: Image,
): Promise<Exclude<ImageStatus, 'ARCHIVED'>> {
  let waits = await isAnyByteArchived(records, image);
  for (const child of await childrenOf(records, image)) {
    const status = child.status === 'ARCHIVED' ? await restoreImage(records, change, child) : child.status;
    if (status !== 'ACTIVE') waits = true;
  }
  if (!waits) {
    await activate(records, change, image);
    return 'ACTIVE';
  }
  await records.images.setStatus(image.id, { status: 'ACTIVATING' });
  await enqueue(records, 'restore-image', change, image);
  return 'ACTIVATING';
}

/**
 * Makes an image active at once that is archived or on its way back, since it was pushed again; so with an index what it
 * lists. Its bytes are readable wherever they lie, and come back soon after.
 */
export async function reactivate(records: Records, change: Moment, image: Image): Promise<void> {
  for (const child of await childrenOf(records, image)) {
    if (child.status !== 'ACTIVE') await reactivate(records, change, child);
  }
  await activate(records, change, image);
  if (await isAnyByteArchived(records, image)) await bringBytesBack(records, change, image);
}

/** Has the bytes of an active image brought back, for images that were pushed upon layers of archived ones. */
export async function bringBytesBack(records: Records, change: Moment, image: Image): Promise<void> {
  await enqueue(records, 'restore-image', change, image);
}

/** Ends the restoring of an image: it can be pulled, and "acts as a newly pushed image" where it is copied to other registries and scanned. */
export async function activate(records: Records, change: Moment, image: Image): Promise<void> {
  const { at, repository } = change;
  await records.images.setStatus(image.id, { status: 'ACTIVE', activatedAt: at });
  const event = storageClassEvent('image-restored', change, image);
  await announce(records, repository.registry, { ...event, activatedAt: at.toISOString() }, at);
  const tags = await records.images.tagsOf(image.id);
  for (const tag of tags.length === 0 ? [undefined] : tags) await startReplication(records, change, image, tag);
  await scanRestored(records, change, image);
}

/** The indexes that list an image and are not archived themselves: it is a part of them, and stays active with them. */
export async function activeIndexesOf(records: Pick<Records, 'images'>, image: Image): Promise<Image[]> {
  const digests = await records.images.indexesOf(image.repositoryId, image.digest);
  if (digests.length === 0) return [];
  return (await records.images.findMany(image.repositoryId, digests)).filter(({ status }) => status !== 'ARCHIVED');
}

async function isAnyByteArchived(records: Records, image: Image): Promise<boolean> {
  return (await records.blobs.archivedOf(image.id, 1)).length > 0;
}

async function childrenOf(records: Records, image: Image): Promise<Image[]> {
  return isIndex(image.mediaType) ? records.images.childrenOf(image.id) : [];
}

async function enqueue(
  records: Records,
  kind: 'archive-bytes' | 'restore-image',
  { repository, at }: Moment,
  { digest }: Image,
): Promise<void> {
  const payload = { repositoryId: repository.id, digest };
  await records.jobs.enqueue({ kind, key: `${repository.id}/${digest}`, payload }, at);
}

function storageClassEvent(kind: StorageClassEvent['kind'], { repository }: Moment, image: Image): StorageClassEvent {
  return {
    kind,
    repositoryName: repository.name,
    digest: image.digest,
    mediaType: image.mediaType,
    ...(image.artifactType !== undefined && { artifactType: image.artifactType }),
    ...(image.subjectDigest !== undefined && { subjectDigest: image.subjectDigest }),
  };
}
