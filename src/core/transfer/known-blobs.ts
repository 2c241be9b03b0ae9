import type { Digest } from '../values/digest.ts';
import { createSharedWork } from './shared-work.ts';

/** Which repositories of a registry elsewhere have which blobs: seen lately, so it is neither asked nor sent again. */
export interface KnownBlobs {
  has(repository: string, digest: Digest): boolean;
  /** Another repository that has the blob. */
  homeOf(digest: Digest, except: string): string | undefined;
  note(repository: string, digest: Digest): void;
  /** Forgets what is known of a repository. */
  forget(repository: string): void;
  /** Lets one at a time bring a blob or a manifest into a repository. */
  oneByOne<T>(repository: string, digest: Digest, work: () => Promise<T>): Promise<T>;
}

/** What was seen longer ago may have been collected there: registries keep layers without images for a while. */
const BELIEVED_SECONDS = 600;
/** Bounds memory: some 200 bytes each. */
const KNOWN_MAX = 50_000;

export function createKnownBlobs(now: () => Date): KnownBlobs {
  /** By digest, then by repository: when it was seen. */
  let seen = new Map<Digest, Map<string, number>>();
  let count = 0;
  const work = createSharedWork();
  const isFresh = (at: number | undefined) => at !== undefined && now().getTime() - at < BELIEVED_SECONDS * 1000;
  return {
    has: (repository, digest) => isFresh(seen.get(digest)?.get(repository)),
    homeOf(digest, except) {
      for (const [repository, at] of seen.get(digest) ?? [])
        if (repository !== except && isFresh(at)) return repository;
      return undefined;
    },
    note(repository, digest) {
      if (count >= KNOWN_MAX) {
        seen = new Map();
        count = 0;
      }
      const homes = seen.get(digest) ?? new Map<string, number>();
      if (!homes.has(repository)) count += 1;
      seen.set(digest, homes.set(repository, now().getTime()));
    },
    forget(repository) {
      for (const homes of seen.values()) if (homes.delete(repository)) count -= 1;
    },
    oneByOne: (repository, digest, bring) => work.oneByOne(`${repository}@${digest}`, bring),
  };
}
