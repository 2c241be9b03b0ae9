import type { Call } from '../access/caller.ts';
import { ARCHIVED_WORDS, RefusedError, refuse } from '../errors.ts';
import { failureOf, malformed } from '../images/find-images.ts';
import { ANSWER_BYTES_MAX, ANSWER_TOO_LARGE, acceptance } from '../images/image-catalog.ts';
import type { StoredManifest } from '../images/image-records.ts';
import type { FoundImage, ImageFailure, ImageReference, Images, ServedManifest } from '../images/images.ts';
import { parseDigest } from '../values/digest.ts';
import type { ImageIdentifier } from '../values/image-reference.ts';
import type { ArrivingImage } from './arriving-images.ts';
import type { Cache } from './cache.ts';
import type { CacheRule } from './cache-rule-records.ts';
import { fetchImage } from './fetch-image.ts';
import { listReferrers } from './list-referrers.ts';
import { bringPromisedLayers } from './promised-layers.ts';
import { refreshedTag } from './refresh-tag.ts';

/** Images of which those that a rule covers come from upstream when they are not here. */
export function createCachingImages(cache: Cache, images: Images): Images {
  const { table, dependencies } = cache;
  return {
    ...images,

    async put(call, input) {
      try {
        return await images.put(call, input);
      } catch (error) {
        if (!(await bringPromisedLayers(cache, call, input, error))) throw error;
        return images.put(call, input);
      }
    },

    async getManifest(call, input) {
      const rule = await table.find(call.registry, input.repositoryName);
      return rule ? getCached(cache, images, call, { ...input, rule }) : images.getManifest(call, input);
    },

    async getMany(call, input) {
      const rule = await table.find(call.registry, input.repositoryName);
      if (!rule) return images.getMany(call, input);
      const outcomes: (FoundImage | ImageFailure)[] = [];
      let bytes = 0;
      for (let at = 0; at < input.imageIds.length; at += AT_ONCE) {
        const some = input.imageIds.slice(at, at + AT_ONCE);
        const found = await Promise.all(
          some.map((imageId) => getOne(cache, images, call, { ...input, rule, imageId })),
        );
        for (const one of found) bytes += 'manifest' in one ? one.manifest.bytes.byteLength : 0;
        if (bytes > ANSWER_BYTES_MAX) refuse({ kind: 'limit-exceeded', reason: ANSWER_TOO_LARGE });
        outcomes.push(...found);
      }
      return {
        images: outcomes.filter((one) => 'manifest' in one),
        failures: outcomes.filter((one) => 'code' in one),
      };
    },

    async referrers(call, input) {
      const rule = await table.find(call.registry, input.repositoryName);
      const repository =
        rule && (await dependencies.metadata.read.repositories.find(call.registry, input.repositoryName));
      return repository
        ? listReferrers(cache, images, call, { ...input, rule, repository })
        : images.referrers(call, input);
    },
  };
}

interface Wanted {
  readonly rule: CacheRule;
  readonly repositoryName: string;
  readonly reference: ImageReference;
  readonly isLook?: boolean;
}

async function getCached(cache: Cache, images: Images, call: Call, wanted: Wanted): Promise<ServedManifest> {
  const { repositoryName, reference, rule } = wanted;
  const { read } = cache.dependencies.metadata;
  const repository = await read.repositories.find(call.registry, repositoryName);
  if (!repository) return fetchImage(cache, call, wanted);
  const tag = 'tag' in reference ? reference.tag : undefined;
  const moving = tag === undefined ? undefined : await movingDigest(cache, repository.id, tag);
  const local = await unlessMissing(
    images.getManifest(call, { ...wanted, reference: moving ? { digest: moving } : reference }),
  );
  if (!local) {
    // What is on its way here is given only where it could be kept.
    if (!wanted.isLook) await cache.dependencies.encryption.requireKey(repository);
    const digest = moving ?? ('digest' in reference ? parseDigest(reference.digest) : undefined);
    const arriving = digest && cache.arriving.find(repository.id, digest);
    return arriving ? storedManifestOf(arriving) : fetchImage(cache, call, wanted);
  }
  if (tag === undefined || moving) return local;
  return refreshedTag(cache, call, { rule, repository, tag, local });
}

/** What a tag is on as soon as that is recorded; undefined also of a tag that is somebody's own here, which never moves. */
async function movingDigest({ arriving, dependencies }: Cache, repositoryId: number, tag: string) {
  const digest = arriving.digestOfTag(repositoryId, tag);
  if (digest === undefined) return undefined;
  const { read } = dependencies.metadata;
  const tagged = await read.images.findByTag(repositoryId, tag);
  const check = tagged && (await read.cacheChecks.find(repositoryId, tag));
  return check?.digest === tagged?.digest ? digest : undefined;
}

async function getOne(
  cache: Cache,
  images: Images,
  call: Call,
  wanted: Omit<Wanted, 'reference'> & { imageId: ImageIdentifier; acceptedMediaTypes?: readonly string[] },
): Promise<FoundImage | ImageFailure> {
  const { imageId, acceptedMediaTypes } = wanted;
  const { imageTag, imageDigest } = imageId;
  const broken = malformed(imageId);
  if (broken) return broken;
  const reference = imageTag === undefined ? { digest: imageDigest ?? '' } : { tag: imageTag };
  const manifest = await getCached(cache, images, call, { ...wanted, reference }).catch((error) =>
    failureOfRefusal(imageId, error),
  );
  if ('code' in manifest) return manifest;
  if (imageTag !== undefined && imageDigest !== undefined && manifest.digest !== imageDigest) {
    const reason = `Requested image tag '${imageTag}' does not point to digest '${imageDigest}'`;
    return failureOf(imageId, 'ImageTagDoesNotMatchDigest', reason);
  }
  if (!acceptance(acceptedMediaTypes)(manifest.mediaType)) {
    return failureOf(imageId, 'ImageNotFound', 'Requested image not found');
  }
  const { isStale: _, ...stored } = manifest;
  return { imageId: { imageDigest: manifest.digest, ...(imageTag !== undefined && { imageTag }) }, manifest: stored };
}

/** What is a refusal for one image is a failure among many; trouble with the rule's secret is everybody's. */
function failureOfRefusal(imageId: ImageIdentifier, error: unknown): ImageFailure {
  if (!(error instanceof RefusedError)) throw error;
  const { refusal } = error;
  switch (refusal.kind) {
    case 'image-not-found':
      return failureOf(imageId, 'ImageNotFound', 'Requested image not found');
    case 'image-archived':
      return failureOf(imageId, 'ImageInaccessible', `Requested image ${ARCHIVED_WORDS[refusal.status]}`);
    case 'upstream-image':
      if (refusal.trouble === 'credentials') throw error;
      return failureOf(imageId, FAILURE_CODES[refusal.trouble], refusal.reason);
    case 'kms':
      return failureOf(imageId, 'KmsError', error.message);
    default:
      throw error;
  }
}

const FAILURE_CODES = {
  denied: 'UpstreamAccessDenied',
  'too-many-requests': 'UpstreamTooManyRequests',
  unavailable: 'UpstreamUnavailable',
  invalid: 'UpstreamUnavailable',
} as const;

async function unlessMissing(finding: Promise<StoredManifest>): Promise<StoredManifest | undefined> {
  try {
    return await finding;
  } catch (error) {
    if (error instanceof RefusedError && error.refusal.kind === 'image-not-found') return undefined;
    throw error;
  }
}

function storedManifestOf({ digest, mediaType, content }: ArrivingImage): StoredManifest {
  return { digest, mediaType, bytes: content, status: 'ACTIVE' };
}

/** As many of a batch as are asked of the upstream at a time. */
const AT_ONCE = 5;
