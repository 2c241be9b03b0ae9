import type { Call } from '../access/caller.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { Digest } from '../values/digest.ts';
import { splitPage } from '../values/page.ts';
import type { DeletedImage, TagChange } from './history-records.ts';
import { type Restoration, type RestoreTagInput, restoreImage, restoreTag } from './restore.ts';

/**
 * What tags were on, and which deleted images can be brought back. ECR has none of it, so no operation or route leads here.
 * Every method refuses with repository-not-found: the history of a deleted repository went with it.
 */
export interface History {
  /** What became of a tag, newest change first; `next` is where the list goes on. */
  tag(
    call: Call,
    input: { repositoryName: string; tag: string; before?: number; limit: number },
  ): Promise<{ changes: PastChange[]; next?: number } & TagState>;

  /** Images that can be brought back, in the order of digests, after a digest (empty: from the start). */
  deleted(
    call: Call,
    input: { repositoryName: string; after: string; limit: number },
  ): Promise<{ images: DeletedImage[]; next?: string }>;

  /**
   * Puts a tag back on an image that it was on, and brings the image back if it was deleted. Refuses with
   * tag-not-restorable, image-not-restorable, limit-exceeded, and image-tag-already-exists where the tag must not be moved.
   */
  restoreTag(call: Call, input: RestoreTagInput): Promise<Restoration>;

  /**
   * Brings a deleted image back, with those of its tags that no image has now. Refuses with image-not-restorable and
   * limit-exceeded.
   */
  restoreImage(call: Call, input: { repositoryName: string; digest: string }): Promise<Restoration>;
}

/** Where a tag is now, and since when its changes are remembered. */
export interface TagState {
  /** Absent: there is no such tag. */
  readonly digest?: Digest;
  readonly rememberedSince: Date;
}

/** A change of a tag, with what has become of the image it was put on, or of the one it was taken from. */
export interface PastChange extends TagChange {
  readonly image: ImageFate;
}

export interface ImageFate {
  readonly digest: Digest;
  readonly state: 'present' | 'deleted' | 'gone';
  /** With `deleted`: until when it can be brought back. */
  readonly keptUntil?: Date;
}

export function createHistory(dependencies: CoreDependencies): History {
  const { metadata, now, settings } = dependencies;
  const { read } = metadata;
  return {
    restoreTag: (call, input) => restoreTag(dependencies, call, input),
    restoreImage: (call, input) => restoreImage(dependencies, call, input),

    async tag(call, { repositoryName, tag, before, limit }) {
      const repository = await findRepository(read, call.registry, repositoryName);
      const current = await read.images.findByTag(repository.id, tag);
      const found = await read.history.tagChanges(repository.id, tag, before, limit + 1);
      const { items, last } = splitPage(found, limit);
      const fates = await fatesOf(repository.id, items.map(subjectOf));
      return {
        ...(current && { digest: current.digest }),
        rememberedSince: secondsAfter(now(), -settings.undoSeconds),
        changes: items.map((change) => ({ ...change, image: fates.get(subjectOf(change))! })),
        ...(last && { next: last.id }),
      };
    },

    async deleted(call, { repositoryName, after, limit }) {
      const repository = await findRepository(read, call.registry, repositoryName);
      const found = await read.history.deletedImages(repository.id, after, limit + 1);
      const { items, last } = splitPage(found, limit);
      const at = now();
      return { images: items.filter(({ keptUntil }) => keptUntil >= at), ...(last && { next: last.digest }) };
    },
  };

  async function fatesOf(repositoryId: number, digests: readonly Digest[]): Promise<Map<Digest, ImageFate>> {
    const asked = [...new Set(digests)];
    const present = new Set((await read.images.findMany(repositoryId, asked)).map(({ digest }) => digest));
    const fates = new Map<Digest, ImageFate>();
    for (const digest of asked) {
      const kept = present.has(digest) ? undefined : await read.history.deletedImage(repositoryId, digest);
      if (present.has(digest)) fates.set(digest, { digest, state: 'present' });
      else if (!kept || kept.keptUntil < now()) fates.set(digest, { digest, state: 'gone' });
      else fates.set(digest, { digest, state: 'deleted', keptUntil: kept.keptUntil });
    }
    return fates;
  }
}

/** A change has at least one of both. */
function subjectOf({ digest, formerDigest }: TagChange): Digest {
  return digest ?? formerDigest!;
}
