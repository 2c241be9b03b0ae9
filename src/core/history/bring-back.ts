import { RefusedError, refuse } from '../errors.ts';
import type { Change } from '../images/image-changes.ts';
import type { Image } from '../images/image-records.ts';
import { recordImage } from '../images/record-image.ts';
import type { Records } from '../metadata-store.ts';
import type { QuotaGuard } from '../quotas/quota-guard.ts';
import type { Digest } from '../values/digest.ts';
import { type Manifest, ManifestError, parseManifest } from '../values/manifest.ts';
import type { DeletedImage } from './history-records.ts';

/** An image that is there again. */
export interface ReturnedImage {
  readonly image: Image;
  readonly deleted: DeletedImage;
  /** The one that was asked for, what it lists as an index, or what refers to one of these and went because of it. */
  readonly role: 'asked' | 'part' | 'referrer';
}

/**
 * Records a deleted image again as it was, what it lists first, then the referrers that went because of it; all untagged. Its
 * push time is the one it had; since its age counts from now on (`activatedAt`), no lifecycle policy takes it at once.
 * A referrer that cannot come back stays away. Refuses with image-not-restorable and limit-exceeded.
 */
export async function bringBack(
  records: Records,
  change: Change,
  digest: Digest,
  quotas: QuotaGuard,
): Promise<ReturnedImage[]> {
  const returned: ReturnedImage[] = [];
  const record = async (plan: readonly DeletedImage[], role: 'asked' | 'referrer') => {
    for (const deleted of plan) {
      const image = await recordAgain(records, change, deleted, quotas);
      returned.push({ image, deleted, role: deleted === plan.at(-1) ? role : 'part' });
    }
  };
  await record(await planOf(records, change, digest), 'asked');
  // The list grows while it is walked: referrers have referrers.
  for (const { deleted: subject } of returned) {
    for (const referrer of await records.history.deletedReferrers(change.repository.id, subject.digest)) {
      const wentAlong = referrer.cause === 'subject-gone' && referrer.deletedAt >= subject.deletedAt;
      if (wentAlong) await record(await planUnlessGone(records, change, referrer.digest), 'referrer');
    }
  }
  return returned;
}

async function recordAgain(
  records: Records,
  change: Change,
  deleted: DeletedImage,
  quotas: QuotaGuard,
): Promise<Image> {
  const { digest, pushedAt } = deleted;
  const { manifest, bytes } = await readKept(records, deleted);
  const image = await recordImage(records, change, { digest, manifest, bytes, pushedAt }, quotas);
  await records.images.setStatus(image.id, { status: 'ACTIVE', activatedAt: change.at });
  return { ...image, activatedAt: change.at };
}

/** The deleted images that have to come back with one, it last; each is complete. */
async function planOf(
  records: Records,
  change: Change,
  digest: Digest,
  plan = new Map<Digest, DeletedImage>(),
): Promise<DeletedImage[]> {
  const { repository, at } = change;
  const deleted = await records.history.deletedImage(repository.id, digest);
  const refuseBecause = (because: string): never => {
    const registryId = repository.registry.accountId;
    return refuse({ kind: 'image-not-restorable', because, digest, repositoryName: repository.name, registryId });
  };
  if (!deleted) return refuseBecause('it is not among the deleted images that are kept');
  if (deleted.keptUntil < at) return refuseBecause(`it was kept until ${deleted.keptUntil.toISOString()}`);
  const { manifest } = await readKept(records, deleted);
  const wanted = new Set(manifest.blobs.map((blob) => blob.digest));
  const layers = await records.layers.findMany(repository.id, [...wanted]);
  for (const layer of layers) wanted.delete(layer.digest);
  if (wanted.size > 0) return refuseBecause(`its layers [${[...wanted].join(', ')}] are gone`);
  const children = manifest.children.map((child) => child.digest);
  const present = new Set((await records.images.findMany(repository.id, children)).map((child) => child.digest));
  for (const child of children) {
    if (!present.has(child) && !plan.has(child)) await planOf(records, change, child, plan);
  }
  plan.set(digest, deleted);
  return [...plan.values()];
}

async function planUnlessGone(records: Records, change: Change, digest: Digest): Promise<DeletedImage[]> {
  try {
    return await planOf(records, change, digest);
  } catch (error) {
    if (error instanceof RefusedError && error.refusal.kind === 'image-not-restorable') return [];
    throw error;
  }
}

async function readKept(
  records: Records,
  { repositoryId, digest, mediaType }: DeletedImage,
): Promise<{ manifest: Manifest; bytes: Uint8Array }> {
  const bytes = await records.history.deletedManifest(repositoryId, digest);
  if (!bytes) throw new Error(`The deleted image ${digest} has no manifest`);
  try {
    return { manifest: parseManifest(bytes, mediaType), bytes };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new Error(`The manifest of the deleted image ${digest} cannot be read`, { cause: error });
  }
}
