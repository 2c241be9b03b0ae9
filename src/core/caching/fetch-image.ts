import type { Call } from '../access/caller.ts';
import { RefusedError, refuse } from '../errors.ts';
import { refuseImage } from '../images/find-images.ts';
import type { StoredManifest } from '../images/image-records.ts';
import type { ImageReference } from '../images/images.ts';
import { ensureRepository } from '../repositories/create-repository.ts';
import { findRepository } from '../repositories/find-repository.ts';
import { UpstreamError, type UpstreamManifest } from '../upstreams/upstream.ts';
import { parseDigest } from '../values/digest.ts';
import { isTag } from '../values/image-reference.ts';
import { type Manifest, ManifestError, parseManifest } from '../values/manifest.ts';
import type { Cache } from './cache.ts';
import type { CacheRule } from './cache-rule-records.ts';
import type { CacheUpstream } from './cache-upstreams.ts';
import { mayImport } from './import-permission.ts';
import { upstreamNameOf } from './rule-table.ts';
import { isMissingUpstream, upstreamRefusal } from './upstream-trouble.ts';

interface Wanted {
  readonly rule: CacheRule;
  readonly repositoryName: string;
  readonly reference: ImageReference;
}

/**
 * Asks the upstream for an image that is not here, or for what a tag has moved to. Its import begins, and the manifest is
 * given at once. Refuses with image-not-found, repository-not-found and upstream-image.
 */
export async function fetchImage(cache: Cache, call: Call, wanted: Wanted): Promise<StoredManifest> {
  const { rule, repositoryName, reference } = wanted;
  const { registry } = call;
  const { read } = cache.dependencies.metadata;
  const text = 'tag' in reference ? reference.tag : reference.digest;
  const imageId = 'tag' in reference ? { imageTag: text } : { imageDigest: text };
  const isThere = (await read.repositories.find(registry, repositoryName)) !== undefined;
  if (!(await mayImport(cache.authorizer, call, repositoryName, isThere))) {
    if (isThere) return refuseImage(call, repositoryName, imageId);
    return refuse({ kind: 'repository-not-found', repositoryName, registryId: registry.accountId });
  }
  if ('tag' in reference ? !isTag(text) : !parseDigest(text)) return refuseImage(call, repositoryName, imageId);
  const key = `${rule.updatedAt.getTime()} ${registry.accountId}/${registry.region}/${repositoryName} ${text}`;
  try {
    cache.failures.rethrow(key);
    return await cache.answers.get(key, () =>
      ask(cache, call, wanted).catch((error) => {
        cache.failures.note(key, error, secondsOf(error));
        throw error;
      }),
    );
  } catch (error) {
    if (isMissingUpstream(error)) return refuseImage(call, repositoryName, imageId);
    throw upstreamRefusal(error, rule, { kind: 'upstream-image', repositoryName, registryId: registry.accountId });
  }
}

/** A manifest of the upstream, understood. Rejects with UpstreamError. */
export async function askForManifest(
  upstream: CacheUpstream,
  upstreamName: string,
  reference: string,
): Promise<UpstreamManifest & { readonly manifest: Manifest }> {
  const found = await upstream.getManifest(upstreamName, reference);
  try {
    return { ...found, manifest: parseManifest(found.content, found.mediaType) };
  } catch (cause) {
    if (!(cause instanceof ManifestError)) throw cause;
    const message = `${upstream.host}: manifest ${upstreamName} ${reference}: ${cause.message}`;
    throw new UpstreamError({ code: 'invalid', host: upstream.host, message }, { cause });
  }
}

async function ask(
  cache: Cache,
  { registry }: Call,
  { rule, repositoryName, reference }: Wanted,
): Promise<StoredManifest> {
  const { dependencies, arriving, upstreams } = cache;
  const tag = 'tag' in reference ? reference.tag : undefined;
  const seenAt = dependencies.now().getTime();
  const upstreamName = upstreamNameOf(rule, repositoryName);
  const image = await askForManifest(
    upstreams.of(rule),
    upstreamName,
    'tag' in reference ? reference.tag : reference.digest,
  );
  // Not before: a name that is not there upstream makes no repository here.
  await ensureRepository(dependencies, registry, repositoryName, 'PULL_THROUGH_CACHE');
  const repository = await findRepository(dependencies.metadata.read, registry, repositoryName);
  arriving.add(repository.id, image, tag);
  const { digest, mediaType, content: bytes } = image;
  cache.imports.add({ repositoryId: repository.id, digest, ...(tag !== undefined && { tag }), seenAt });
  return { digest, mediaType, bytes, status: 'ACTIVE' };
}

const FAILURE_SECONDS = 5;
const FAILURE_SECONDS_MAX = 60;

/** An upstream that wants to be left alone is, for a while. */
function secondsOf(error: unknown): number {
  if (error instanceof RefusedError) return 1;
  const wanted = error instanceof UpstreamError ? error.retryAfterSeconds : undefined;
  return Math.min(Math.max(wanted ?? FAILURE_SECONDS, FAILURE_SECONDS), FAILURE_SECONDS_MAX);
}
