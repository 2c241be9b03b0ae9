import type { Repository } from '../repositories/repository-records.ts';
import { isTagImmutable } from '../repositories/tag-mutability.ts';
import type { Digest } from '../values/digest.ts';
import type { Descriptor } from '../values/manifest.ts';
import type { ArrivingImage } from './arriving-images.ts';
import { type Cache, wantedBlob } from './cache.ts';
import type { CacheRule } from './cache-rule-records.ts';
import { askForManifest } from './fetch-image.ts';
import { recordCachedImage } from './record-cached-image.ts';
import { askForDigest, noteCheck } from './refresh-tag.ts';
import { upstreamNameOf } from './rule-table.ts';

export interface ImportedImage {
  readonly repositoryId: number;
  readonly digest: Digest;
  readonly tag?: string;
  /** When the upstream said that the tag is on the image, in milliseconds. */
  readonly seenAt: number;
}

/** Indexes of indexes are legal; nobody nests them deeper. */
const DEPTH_MAX = 8;
const CHILDREN_AT_ONCE = 2;
const BLOBS_AT_ONCE = 3;

/**
 * Brings an image into the repository that caches it: children and layers first, then the image, then its tag. What is there
 * is not fetched again. Nothing is done when repository or rule are gone. Rejects with UpstreamError, with core's refusals, and
 * with the signal's reason.
 */
export async function importImage(cache: Cache, image: ImportedImage, signal: AbortSignal): Promise<void> {
  const { metadata } = cache.dependencies;
  const repository = await metadata.read.repositories.findById(image.repositoryId);
  const rule = repository && (await cache.table.find(repository.registry, repository.name));
  if (!repository || !rule) return cache.arriving.remove(image.repositoryId, image.digest, image.tag);
  const bringing: Bringing = { cache, rule, repository, signal };
  const arrived = await bring(bringing, image.digest, 0);
  const { tag, seenAt } = image;
  const tagged = tag !== undefined && { tag, seenAt: new Date(seenAt) };
  await recordCachedImage(cache.dependencies, repository, { rule, image: arrived, digest: image.digest, ...tagged });
  cache.arriving.remove(repository.id, image.digest, tag);
}

/** Compares a cached tag with its upstream now, and brings what it is on there. */
export async function refreshCachedTag(
  cache: Cache,
  { repositoryId, tag }: { repositoryId: number; tag: string },
  signal: AbortSignal,
): Promise<void> {
  const { metadata, now } = cache.dependencies;
  const repository = await metadata.read.repositories.findById(repositoryId);
  const rule = repository && (await cache.table.find(repository.registry, repository.name));
  const check = rule && (await metadata.read.cacheChecks.find(repositoryId, tag));
  if (!check || isTagImmutable(repository, tag)) return;
  const seenAt = now().getTime();
  const digest = await askForDigest(cache, rule, repository, tag);
  if (digest === undefined || digest === check.digest) return noteCheck(cache.dependencies, check);
  await importImage(cache, { repositoryId, digest, tag, seenAt }, signal);
}

interface Bringing {
  readonly cache: Cache;
  readonly rule: CacheRule;
  readonly repository: Repository;
  readonly signal: AbortSignal;
}

/** @returns the image if it is not recorded yet; all that it lists is */
async function bring(bringing: Bringing, digest: Digest, depth: number): Promise<ArrivingImage | undefined> {
  const { cache, rule, repository, signal } = bringing;
  signal.throwIfAborted();
  if (await cache.dependencies.metadata.read.images.find(repository.id, digest)) return undefined;
  if (depth > DEPTH_MAX) throw new Error(`The index ${digest} lists itself, or is nested deeper than ${DEPTH_MAX}`);
  const image = cache.arriving.find(repository.id, digest) ?? (await fetchManifest());
  await inParallel(image.manifest.children, CHILDREN_AT_ONCE, async (child) => {
    const arrived = await bring(bringing, child.digest, depth + 1);
    if (!arrived) return;
    await recordCachedImage(cache.dependencies, repository, { rule, image: arrived, digest: child.digest });
    cache.arriving.remove(repository.id, child.digest);
  });
  await inParallel(image.manifest.blobs, BLOBS_AT_ONCE, (blob) => bringBlob(bringing, blob));
  return image;

  async function fetchManifest(): Promise<ArrivingImage> {
    const fetched = await askForManifest(cache.upstreams.of(rule), upstreamNameOf(rule, repository.name), digest);
    cache.arriving.add(repository.id, fetched);
    return fetched;
  }
}

async function bringBlob({ cache, rule, repository, signal }: Bringing, { digest, size }: Descriptor): Promise<void> {
  signal.throwIfAborted();
  const present = await cache.dependencies.metadata.read.layers.find(repository.id, digest);
  if (present && !present.dormant) return;
  const wanted = wantedBlob(cache, rule, repository, { digest, bytes: size });
  if (await cache.blobImports.attach(wanted)) return;
  await orAborted(cache.blobImports.bringQuietly(wanted, signal), signal);
}

/** A blob that clients wait for as well is not stopped with the job; the job does not wait for it any longer. */
async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', abort);
    work.catch(() => {});
  }
}

/** Does work for each, so many at a time; after a failure no more is begun, and what was ends before this does. */
async function inParallel<T>(items: readonly T[], atOnceMax: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const failures: unknown[] = [];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined && failures.length === 0; item = queue.shift()) {
      await work(item).catch((error) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: atOnceMax }, lane));
  if (failures.length > 0) throw failures[0];
}
