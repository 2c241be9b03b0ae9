import type { Call } from '../access/caller.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { announce, announceAll } from '../events/announce.ts';
import type { ImageEvent, RegistryEvent } from '../events/registry-event.ts';
import type { ChangeCause } from '../history/history-records.ts';
import type { Records } from '../metadata-store.ts';
import { startReplication } from '../replication/start-replication.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { startScanOnPush } from '../scanning/start-scan.ts';
import { startSigning } from '../signing/start-signing.ts';
import type { Registry } from '../values/registry.ts';
import type { Image } from './image-records.ts';

/**
 * What changes an image, and why. Every change of images and tags goes through the functions of this file, within the
 * transaction of the change, so that its history, its events and the work that follows from it are never forgotten.
 */
export interface Change {
  readonly repository: Repository;
  readonly cause: ChangeCause;
  /** The ARN of who caused it; empty when nobody was asked. */
  readonly principal: string;
  /** With the cause `replication`: the registry the image comes from. */
  readonly replicatedFrom?: Registry;
  readonly at: Date;
  /** Until when the layers of a deleted image stay. */
  readonly leaseUntil: Date;
  /** Until when a deleted image can be brought back; absent: it cannot. */
  readonly keptUntil?: Date;
}

export function changeBy({ caller }: Pick<Call, 'caller'>, repository: Repository, time: ChangeTimes): Change {
  return { repository, principal: caller.arn, cause: 'push', ...time };
}

type ChangeTimes = Pick<Change, 'at' | 'leaseUntil'> & Partial<Pick<Change, 'cause' | 'keptUntil' | 'replicatedFrom'>>;

/** The times of a change that happens now. */
export function changeTimes({ now, settings }: Pick<CoreDependencies, 'now' | 'settings'>): ChangeTimes {
  const at = now();
  const { layerLeaseSeconds, undoSeconds } = settings;
  return {
    at,
    leaseUntil: secondsAfter(at, Math.max(layerLeaseSeconds, undoSeconds)),
    ...(undoSeconds > 0 && { keptUntil: secondsAfter(at, undoSeconds) }),
  };
}

/**
 * Announces a push under a tag, or without one, has the image copied to where its repository's images go, scanned and
 * signed if they are; it is there by now.
 */
export async function notePush(records: Records, change: Change, image: Image, tag: string | undefined): Promise<void> {
  await Promise.all([
    announce(records, change.repository.registry, pushEvent(change, image, tag), change.at),
    startReplication(records, change, image, tag),
    startScanOnPush(records, change, image),
    startSigning(records, change, image, tag),
  ]);
}

/** Puts a tag on an image, taking it off the one it is on, if any. */
export async function putTag(
  records: Records,
  change: Change,
  image: Image,
  tag: string,
  former: Image | undefined,
): Promise<void> {
  await Promise.all([
    records.images.tag(change.repository.id, tag, image.id, change.at),
    noteTags(records, change, [tag], { former, image }),
  ]);
}

/** Takes a tag away; its image stays. @returns whether there was such a tag */
export async function removeTag(records: Records, change: Change, image: Image, tag: string): Promise<boolean> {
  if (!(await records.images.untag(change.repository.id, tag))) return false;
  await noteTags(records, change, [tag], { former: image });
  await announce(records, change.repository.registry, imageEvent('image-deleted', change, image, tag), change.at);
  return true;
}

/**
 * Deletes an image with its tags. Its layers start a lease; it can be brought back while it is kept; its referrers follow.
 * The caller has seen that no index lists it.
 * @returns the tags it had, in lexical order
 */
export async function removeImage(records: Records, change: Change, image: Image): Promise<string[]> {
  const { repository, cause, principal, at, leaseUntil, keptUntil } = change;
  const tags = await records.images.tagsOf(image.id);
  if (keptUntil) await records.history.keepImage(image.id, { tags, cause, principal, deletedAt: at, keptUntil });
  await records.images.delete(image, leaseUntil);
  if (tags.length > 0) await noteTags(records, change, tags, { former: image });
  const gone = tags.length === 0 ? [undefined] : tags;
  const events = gone.map((tag) => imageEvent('image-deleted', change, image, tag));
  await announceAll(records, repository.registry, events, at);
  await letReferrersFollow(records, change, image, 'deleted');
  return tags;
}

/** Referrers go the way of their subject, soon after it. */
export async function letReferrersFollow(
  records: Records,
  { repository, at }: Change,
  { digest: subjectDigest }: Image,
  fate: 'deleted' | 'archived',
): Promise<void> {
  if (!(await records.images.hasReferrers(repository.id, subjectDigest))) return;
  const payload = { repositoryId: repository.id, subjectDigest, change: fate };
  await records.jobs.enqueue({ kind: 'follow-subject', key: `${repository.id}/${subjectDigest}/${fate}`, payload }, at);
}

/** What cannot be undone is not remembered either. */
async function noteTags(
  records: Records,
  { repository, cause, principal, at, keptUntil }: Change,
  tags: readonly string[],
  { former, image }: { former: Image | undefined; image?: Image },
): Promise<void> {
  if (!keptUntil) return;
  await records.history.noteTags({
    repositoryId: repository.id,
    tags,
    ...(image && { digest: image.digest }),
    ...(former && { formerDigest: former.digest }),
    cause,
    principal,
    at,
  });
}

/** What came from another registry was pushed there, not here. */
function pushEvent(change: Change, image: Image, tag: string | undefined): RegistryEvent {
  const { replicatedFrom: source, repository } = change;
  if (!source) return imageEvent('image-pushed', change, image, tag);
  return {
    kind: 'image-replicated',
    result: 'SUCCESS',
    repositoryName: repository.name,
    digest: image.digest,
    ...(tag !== undefined && { tag }),
    source,
  };
}

function imageEvent(
  kind: ImageEvent['kind'],
  { repository }: Change,
  image: Image,
  tag: string | undefined,
): ImageEvent {
  return {
    kind,
    repositoryName: repository.name,
    digest: image.digest,
    mediaType: image.mediaType,
    ...(tag !== undefined && { tag }),
    ...(image.artifactType !== undefined && { artifactType: image.artifactType }),
    ...(image.subjectDigest !== undefined && { subjectDigest: image.subjectDigest }),
  };
}
