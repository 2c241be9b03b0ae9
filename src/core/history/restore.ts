import type { Call } from '../access/caller.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { refuse } from '../errors.ts';
import { type Change, changeBy, changeTimes, notePush, putTag } from '../images/image-changes.ts';
import type { Image } from '../images/image-records.ts';
import { requireRoomForTag } from '../images/record-image.ts';
import type { Records } from '../metadata-store.ts';
import type { QuotaGuard } from '../quotas/quota-guard.ts';
import { findRepository } from '../repositories/find-repository.ts';
import { isTagImmutable } from '../repositories/tag-mutability.ts';
import { refusingWhenFull } from '../storage-full.ts';
import { type Digest, parseDigest } from '../values/digest.ts';
import { bringBack } from './bring-back.ts';
import { formerDigestOf } from './former-digest.ts';

export interface RestoreTagInput {
  readonly repositoryName: string;
  readonly tag: string;
  /** The digest to put it on; without it and `moment`: what it was on before its latest change. */
  readonly digest?: string;
  /** What it was on at that moment. */
  readonly moment?: Date;
}

/** What restoring did. */
export interface Restoration {
  readonly digest: Digest;
  /** What the tag was on until now; absent: there was no such tag. */
  readonly formerDigest?: Digest;
  /** Tags that were put on images; none when everything was as it should be. */
  readonly tags: readonly string[];
  /** Deleted images that came back: the one asked for, what it lists, and what refers to it. */
  readonly images: readonly Digest[];
  /** An image that was archived meanwhile cannot be pulled, whatever its tag. */
  readonly status: Image['status'];
}

/** See `History.restoreTag`. All of it is one transaction, so that a push or the collection of garbage come before or after it. */
export async function restoreTag(
  dependencies: CoreDependencies,
  call: Call,
  { repositoryName, tag, ...wanted }: RestoreTagInput,
): Promise<Restoration> {
  const { metadata, settings, quotas } = dependencies;
  const times = changeTimes(dependencies);
  const work = async (records: Records): Promise<Restoration> => {
    const repository = await findRepository(records, call.registry, repositoryName);
    const change = changeBy(call, repository, { ...times, cause: 'restore' });
    const current = await records.images.findByTag(repository.id, tag);
    const { moment } = wanted;
    const digest =
      wanted.digest === undefined
        ? await formerDigestOf(records, settings, change, { tag, current, ...(moment && { moment }) })
        : digestIn(wanted.digest);
    const former = current && { formerDigest: current.digest };
    if (current?.digest === digest) return { digest, ...former, tags: [], images: [], status: current.status };
    if (current && isTagImmutable(repository, tag)) refuse({ kind: 'image-tag-already-exists', tag, repositoryName });
    const { image, tags, images } = await findOrBringBack(records, { change, quotas }, digest);
    await requireRoomForTag(records, image, quotas);
    await putTag(records, change, image, tag, current);
    await notePush(records, change, image, tag);
    return { digest, ...former, tags: [tag, ...tags], images, status: image.status };
  };
  return refusingWhenFull(() => metadata.transaction('repository', work));
}

/** See `History.restoreImage`. */
export async function restoreImage(
  dependencies: CoreDependencies,
  call: Call,
  input: { repositoryName: string; digest: string },
): Promise<Restoration> {
  const { metadata, quotas } = dependencies;
  const times = changeTimes(dependencies);
  const digest = digestIn(input.digest);
  const work = async (records: Records): Promise<Restoration> => {
    const repository = await findRepository(records, call.registry, input.repositoryName);
    const restoring = { change: changeBy(call, repository, { ...times, cause: 'restore' }), quotas };
    const { image, formerTags, tags, images } = await findOrBringBack(records, restoring, digest);
    const own = await putFreeTags(records, restoring, image, formerTags);
    if (images.length > 0 && own.length === 0) await notePush(records, restoring.change, image, undefined);
    return { digest, tags: [...own, ...tags], images, status: image.status };
  };
  return refusingWhenFull(() => metadata.transaction('repository', work));
}

interface Restoring {
  readonly change: Change;
  readonly quotas: QuotaGuard;
}

/**
 * The image, brought back if it is not there. What it lists and what refers to it is tagged and announced; the image itself
 * is not yet.
 */
async function findOrBringBack(records: Records, restoring: Restoring, digest: Digest) {
  const { change, quotas } = restoring;
  const present = await records.images.find(change.repository.id, digest);
  if (present) return { image: present, formerTags: [], tags: [], images: [] };
  const returned = await bringBack(records, change, digest, quotas);
  const asked = returned.find(({ role }) => role === 'asked')!;
  const tags: string[] = [];
  for (const { image, deleted, role } of returned) {
    if (role === 'asked') continue;
    const put = role === 'referrer' ? await putFreeTags(records, restoring, image, deleted.tags) : [];
    if (put.length === 0) await notePush(records, change, image, undefined);
    tags.push(...put);
  }
  const images = returned.map(({ image }) => image.digest);
  return { image: asked.image, formerTags: asked.deleted.tags, tags, images };
}

/** Puts those of the tags on an image that no image has. @returns them */
async function putFreeTags(
  records: Records,
  { change, quotas }: Restoring,
  image: Image,
  tags: readonly string[],
): Promise<string[]> {
  const taken = new Set((await records.images.findTags(image.repositoryId, tags)).map(({ tag }) => tag));
  const free = tags.filter((tag) => !taken.has(tag));
  for (const tag of free) {
    await requireRoomForTag(records, image, quotas);
    await putTag(records, change, image, tag, undefined);
    await notePush(records, change, image, tag);
  }
  return free;
}

function digestIn(text: string): Digest {
  const constraint = 'must be a sha256 or sha512 digest';
  return parseDigest(text) ?? refuse({ kind: 'invalid-parameter', parameter: 'imageDigest', constraint });
}
