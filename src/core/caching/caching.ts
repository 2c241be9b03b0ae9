import type { Authorizer } from '../access/authorizer.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { Images } from '../images/images.ts';
import type { Layers } from '../layers/layers.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { createArrivingImages } from './arriving-images.ts';
import { createBlobImports } from './blob-imports.ts';
import type { Cache } from './cache.ts';
import { type CacheRules, createCacheRules } from './cache-rules.ts';
import { type CacheUpstreamParts, createCacheUpstreams } from './cache-upstreams.ts';
import { createCachingImages } from './caching-images.ts';
import { createCachingLayers } from './caching-layers.ts';
import { type ImportedImage, importImage, refreshCachedTag } from './import-image.ts';
import { createImportQueue } from './import-queue.ts';
import { createKnownReferrers } from './known-referrers.ts';
import { createRecentFailures } from './recent-failures.ts';
import { createRuleTable } from './rule-table.ts';
import { createSharedAnswers } from './shared-answers.ts';

/** The pull-through cache. Disposal ends fetches under way; imports that a job has begun go on when it is done again. */
export interface Caching extends AsyncDisposable {
  readonly rules: CacheRules;
  /** Images as clients see them: those that a rule covers come from upstream when they are not here. */
  images(images: Images): Images;
  /** The same of layers. */
  layers(layers: Layers): Layers;
  /** See `importImage`. */
  importImage(image: ImportedImage, signal: AbortSignal): Promise<void>;
  /** See `refreshCachedTag`. */
  refreshTag(tag: { repositoryId: number; tag: string }, signal: AbortSignal): Promise<void>;
  /** Forgets an image whose import was given up: a pull a minute later begins it again. */
  forget(image: ImportedImage): void;
}

export interface CachingParts extends Omit<CacheUpstreamParts, 'secrets' | 'now'> {
  readonly authorizer: Authorizer;
  readonly secrets: Secrets;
  /** Imports could not be put into the job queue. */
  readonly onUnrecorded: (error: unknown) => void;
}

export function createCaching(
  dependencies: CoreDependencies,
  { authorizer, secrets, onUnrecorded, ...connecting }: CachingParts,
): Caching {
  const table = createRuleTable(dependencies);
  const upstreams = createCacheUpstreams({ ...connecting, secrets, now: dependencies.now });
  const blobImports = createBlobImports(dependencies);
  const imports = createImportQueue(dependencies, onUnrecorded);
  const cache: Cache = {
    dependencies,
    authorizer,
    table,
    upstreams,
    blobImports,
    arriving: createArrivingImages(dependencies),
    knownReferrers: createKnownReferrers(dependencies),
    failures: createRecentFailures(dependencies),
    answers: createSharedAnswers(),
    imports,
  };
  return {
    rules: createCacheRules(dependencies, { secrets, table, upstreams }),
    images: (images) => createCachingImages(cache, images),
    layers: (layers) => createCachingLayers(cache, layers),
    importImage: (image, signal) => importImage(cache, image, signal),
    refreshTag: (tag, signal) => refreshCachedTag(cache, tag, signal),
    forget: ({ repositoryId, digest, tag }) => cache.arriving.removeSoon(repositoryId, digest, tag),
    async [Symbol.asyncDispose]() {
      await imports[Symbol.asyncDispose]();
      await blobImports[Symbol.asyncDispose]();
      await upstreams[Symbol.asyncDispose]();
    },
  };
}
