import type { CoreDependencies } from '../dependencies.ts';
import { announce } from '../events/announce.ts';
import { type Change, changeTimes, putTag } from '../images/image-changes.ts';
import type { Image } from '../images/image-records.ts';
import { recordImage, requireRoomForTag } from '../images/record-image.ts';
import { reactivate } from '../images/storage-class.ts';
import type { Records } from '../metadata-store.ts';
import type { QuotaGuard } from '../quotas/quota-guard.ts';
import { findRepository } from '../repositories/find-repository.ts';
import type { Repository } from '../repositories/repository-records.ts';
import { isTagImmutable } from '../repositories/tag-mutability.ts';
import { startScanOnPush } from '../scanning/start-scan.ts';
import { refusingWhenFull } from '../storage-full.ts';
import type { Digest } from '../values/digest.ts';
import type { ArrivingImage } from './arriving-images.ts';
import type { CacheRule } from './cache-rule-records.ts';

interface CachedImage {
  readonly rule: CacheRule;
  readonly digest: Digest;
  /** Undefined when it was recorded already. */
  readonly image: ArrivingImage | undefined;
  readonly tag?: string;
  /** When the upstream said that the tag is on the image. */
  readonly seenAt?: Date;
}

/**
 * Records an image that has come from upstream, and puts its tag on it. Refuses as `recordImage` does, and with
 * repository-not-found when the repository has gone.
 */
export async function recordCachedImage(
  dependencies: CoreDependencies,
  { registry, name, id }: Repository,
  cached: CachedImage,
): Promise<void> {
  const { metadata, quotas } = dependencies;
  const times = changeTimes(dependencies);
  await refusingWhenFull(() =>
    metadata.transaction('repository', async (records) => {
      const repository = await findRepository(records, registry, name);
      if (repository.id !== id) return;
      const change: Change = { ...times, repository, principal: '', cause: 'cache' };
      await recordIn(records, change, cached, quotas);
    }),
  );
}

async function recordIn(
  records: Records,
  change: Change,
  { rule, digest, image, tag, seenAt }: CachedImage,
  quotas: QuotaGuard,
): Promise<void> {
  const { repository, at } = change;
  const present = await records.images.find(repository.id, digest);
  // Deleted since it was looked for: the next pull asks for it again.
  if (!present && !image) return;
  if (present && present.status !== 'ACTIVE') await reactivate(records, change, present);
  const recorded = present ?? (await recordImage(records, change, unrecorded(image!, at), quotas));
  if (!present) await startScanOnPush(records, change, recorded);
  const hasMoved =
    tag !== undefined && seenAt !== undefined && (await moveTag(records, change, recorded, { tag, seenAt, quotas }));
  if (present && !hasMoved) return;
  const where = { repositoryName: repository.name, prefix: rule.prefix, upstreamUrl: rule.upstreamUrl };
  const event = { kind: 'image-cached', digest, ...where, ...(hasMoved && { tag }) } as const;
  await announce(records, repository.registry, event, at);
}

function unrecorded({ digest, manifest, content: bytes }: ArrivingImage, pushedAt: Date) {
  return { digest, manifest, bytes, pushedAt };
}

/**
 * Puts a tag where the upstream has it, unless it is somebody's own here, immutable, or was seen elsewhere since.
 * @returns whether the tag is on another image now
 */
async function moveTag(
  records: Records,
  change: Change,
  image: Image,
  { tag, seenAt, quotas }: { tag: string; seenAt: Date; quotas: QuotaGuard },
): Promise<boolean> {
  const { repository } = change;
  const tagged = await records.images.findByTag(repository.id, tag);
  const check = await records.cacheChecks.find(repository.id, tag);
  if (tagged) {
    const isCached = check?.digest === tagged.digest;
    if (!isCached || check.checkedAt > seenAt) return false;
    if (tagged.digest !== image.digest && isTagImmutable(repository, tag)) return false;
  }
  await records.cacheChecks.put({ repositoryId: repository.id, tag, digest: image.digest, checkedAt: seenAt });
  if (tagged?.digest === image.digest) return false;
  await requireRoomForTag(records, image, quotas);
  await putTag(records, change, image, tag, tagged);
  return true;
}
