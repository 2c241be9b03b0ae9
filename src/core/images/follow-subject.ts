import type { CoreDependencies } from '../dependencies.ts';
import type { JobPayloads } from '../jobs/job-kinds.ts';
import type { Records } from '../metadata-store.ts';
import { type Change, changeTimes, removeImage } from './image-changes.ts';
import type { Image } from './image-records.ts';
import { activeIndexesOf, archiveImage } from './storage-class.ts';

type Following = JobPayloads['follow-subject'];

/** So many in one transaction: pushes do not wait for it, and each may come with annotations as large as a manifest. */
const BATCH = 10;
const MANIFEST_BYTES_ENOUGH = 4 * 1024 * 1024;

/**
 * Deletes or archives the referrers of an image that was deleted or archived (ECR user guide, "Deleting an image"); those of
 * the referrers follow by jobs of their own. One that an index lists is a part of that index and stays. Nothing happens
 * once the subject is back: that is looked at in every transaction.
 */
export async function followSubject(
  dependencies: CoreDependencies,
  following: Following,
  signal: AbortSignal,
): Promise<void> {
  let after: string | undefined = '';
  while (after !== undefined) {
    signal.throwIfAborted();
    const from: string = after;
    after = await dependencies.metadata.transaction('repository', (records) =>
      followSome(records, dependencies, following, from),
    );
  }
}

/** @returns the digest after which to go on, if there may be more */
async function followSome(
  records: Records,
  dependencies: CoreDependencies,
  following: Following,
  after: string,
): Promise<string | undefined> {
  const { repositoryId, subjectDigest } = following;
  const repository = await records.repositories.findById(repositoryId);
  if (!repository) return undefined;
  const subject = await records.images.find(repositoryId, subjectDigest);
  if (!isGone(subject, following)) return undefined;
  const imageStatus = following.change === 'archived' ? 'ACTIVE' : 'ANY';
  const referrers = await records.images.referrers(repositoryId, subjectDigest, { imageStatus }, after, BATCH);
  const change: Change = { ...changeTimes(dependencies), repository, cause: 'subject-gone', principal: '' };
  let manifestBytes = 0;
  for (const referrer of referrers) {
    await takeAlong(records, change, referrer, following);
    manifestBytes += referrer.manifestBytes;
    if (manifestBytes >= MANIFEST_BYTES_ENOUGH) return referrer.digest;
  }
  return referrers.length === BATCH ? referrers.at(-1)!.digest : undefined;
}

function isGone(subject: Image | undefined, { change }: Following): boolean {
  return change === 'deleted' ? subject === undefined : subject?.status === 'ARCHIVED';
}

async function takeAlong(records: Records, change: Change, referrer: Image, following: Following): Promise<void> {
  if (following.change === 'archived') {
    if ((await activeIndexesOf(records, referrer)).length === 0) await archiveImage(records, change, referrer);
  } else if ((await records.images.indexesOf(referrer.repositoryId, referrer.digest)).length === 0) {
    await removeImage(records, change, referrer);
  }
}
