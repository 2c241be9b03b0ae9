import type { Call } from '../access/caller.ts';
import { type CoreDependencies, secondsAfter } from '../dependencies.ts';
import { RefusedError } from '../errors.ts';
import type { StoredManifest } from '../images/image-records.ts';
import type { ServedManifest } from '../images/images.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { isTagImmutable } from '../repositories/tag-mutability.ts';
import { refusingWhenFull } from '../storage-full.ts';
import { UpstreamError } from '../upstreams/upstream.ts';
import type { Digest } from '../values/digest.ts';
import type { Cache } from './cache.ts';
import type { CacheRule } from './cache-rule-records.ts';
import { fetchImage } from './fetch-image.ts';
import { mayImport } from './import-permission.ts';
import { upstreamNameOf } from './rule-table.ts';

/** "… when it has been at least 24 hours since the last check" (ECR user guide, "Sync an upstream registry"). */
const CHECKED_SECONDS = 24 * 3600;

/** An upstream that cannot be asked is not asked by each pull of the tag. */
const SILENT_SECONDS = 60;

/**
 * What a tag is on: what is here, unless it came from upstream, that was looked at a day ago or longer, and something else is
 * there now. A tag that somebody pushed is theirs, and one that is immutable stays where it is.
 */
export async function refreshedTag(
  cache: Cache,
  call: Call,
  { rule, repository, tag, local }: { rule: CacheRule; repository: Repository; tag: string; local: StoredManifest },
): Promise<ServedManifest> {
  const { now, metadata } = cache.dependencies;
  const check = await metadata.read.cacheChecks.find(repository.id, tag);
  if (check?.digest !== local.digest || check.checkedAt > secondsAfter(now(), -CHECKED_SECONDS)) return local;
  if (isTagImmutable(repository, tag)) return local;
  if (!(await mayImport(cache.authorizer, call, repository.name, true))) return local;
  const key = `check ${rule.updatedAt.getTime()} ${repository.id}/${tag}`;
  if (cache.failures.has(key)) return { ...local, isStale: true };
  try {
    const found = await cache.answers.get(key, () => lookUpstream(cache, rule, repository, tag));
    if (found === undefined) return { ...local, isStale: true };
    if (found === local.digest) return local;
    return await fetchImage(cache, call, { rule, repositoryName: repository.name, reference: { tag } });
  } catch (error) {
    if (!(error instanceof UpstreamError) && !(error instanceof RefusedError)) throw error;
    cache.failures.note(key, error, SILENT_SECONDS);
    return { ...local, isStale: true };
  }

  async function lookUpstream(...asked: Parameters<typeof askForDigest>): Promise<Digest | undefined> {
    const found = await askForDigest(...asked);
    if (found === undefined || found === local.digest) {
      await noteCheck(cache.dependencies, { repositoryId: repository.id, tag, digest: local.digest });
    }
    return found;
  }
}

/** What a tag is on upstream; undefined when there is none. Rejects with UpstreamError. */
export async function askForDigest(
  { upstreams }: Pick<Cache, 'upstreams'>,
  rule: CacheRule,
  repository: Repository,
  tag: string,
): Promise<Digest | undefined> {
  return (await upstreams.of(rule).headManifest(upstreamNameOf(rule, repository.name), tag))?.digest;
}

/** Notes that a tag was looked at upstream and is as good as it was. Refuses with storage-full. */
export async function noteCheck(
  { metadata, now }: Pick<CoreDependencies, 'metadata' | 'now'>,
  check: { repositoryId: number; tag: string; digest: Digest },
): Promise<void> {
  await refusingWhenFull(() =>
    metadata.transaction('repository', async ({ repositories, cacheChecks }) => {
      const repository = await repositories.findById(check.repositoryId);
      const present = repository && (await cacheChecks.find(repository.id, check.tag));
      if (present?.digest === check.digest) await cacheChecks.put({ ...check, checkedAt: now() });
    }),
  );
}
