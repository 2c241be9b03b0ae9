import { randomBytes, randomUUID } from 'node:crypto';
import { openAuthorizer } from '../../src/core/access/authorizer.ts';
import type { Call } from '../../src/core/access/caller.ts';
import { openCaller } from '../../src/core/access/credential-scope.ts';
import { createDownloadLinks, type DownloadLinks } from '../../src/core/access/download-links.ts';
import { createRegistryTokens, type RegistryTokens } from '../../src/core/access/registry-tokens.ts';
import { createSecretBox } from '../../src/core/access/secret-box.ts';
import type { CacheRules } from '../../src/core/caching/cache-rules.ts';
import { type Caching, createCaching } from '../../src/core/caching/caching.ts';
import {
  type CoreDependencies,
  type CoreSettings,
  DEFAULT_CORE_SETTINGS,
  secondsAfter,
} from '../../src/core/dependencies.ts';
import { type Refusal, RefusedError } from '../../src/core/errors.ts';
import { createImages } from '../../src/core/images/image-catalog.ts';
import type { Images } from '../../src/core/images/images.ts';
import { createLayers, type Layers } from '../../src/core/layers/layers.ts';
import { createUploads } from '../../src/core/layers/upload-pipeline.ts';
import type { Uploads } from '../../src/core/layers/uploads.ts';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.ts';
import { createLifecycle } from '../../src/core/lifecycle/lifecycle-policies.ts';
import { createPullTimeExclusions, type PullTimeExclusions } from '../../src/core/pull-times/pull-time-exclusions.ts';
import { createPullTimes, type PullTimes } from '../../src/core/pull-times/pull-times.ts';
import { createQuotaGuard } from '../../src/core/quotas/quota-guard.ts';
import { QUOTA_DEFAULTS, type QuotaLimits } from '../../src/core/quotas/quotas.ts';
import { createBackfills } from '../../src/core/replication/backfill-catalog.ts';
import type { Backfills } from '../../src/core/replication/backfills.ts';
import type { Replication } from '../../src/core/replication/replication.ts';
import { createReplication } from '../../src/core/replication/replication-configuration.ts';
import { type CreationTemplates, createCreationTemplates } from '../../src/core/repositories/creation-templates.ts';
import { createRepositories, type Repositories } from '../../src/core/repositories/repositories.ts';
import { createScanning } from '../../src/core/scanning/image-scanning.ts';
import type { Scanning } from '../../src/core/scanning/scanning.ts';
import { createSecrets, type Secrets } from '../../src/core/secrets/secrets.ts';
import { type AccountSettings, createAccountSettings } from '../../src/core/settings/account-settings.ts';
import type { Signing } from '../../src/core/signing/signing.ts';
import { createSigning } from '../../src/core/signing/signing-configuration.ts';
import type { Digest } from '../../src/core/values/digest.ts';
import { createMemoryBlobStore } from '../../src/drivers/blobs/memory/memory-blob-store.ts';
import { openSqliteMetadataStore } from '../../src/drivers/metadata/sqlite.ts';
import { unpackReport } from '../../src/drivers/scanners/builtin/unpack-report.ts';
import { ecrLogin } from '../../src/drivers/upstreams/ecr-login.ts';
import { createUpstreamRegistry } from '../../src/drivers/upstreams/upstream-registry.ts';
import { type Blob, blobOf } from '../support/images.ts';
import { localEncryption } from './local-encryption.ts';

/** Core over stores in memory, with a clock that a test moves. */
export interface CoreUnderTest extends CoreParts, AsyncDisposable {
  readonly dependencies: CoreDependencies;
  /** Moves the clock on. */
  pass(seconds: number): void;
}

export interface CoreParts {
  readonly repositories: Repositories;
  readonly creationTemplates: CreationTemplates;
  /** Asks registries on this machine. */
  readonly caching: Caching;
  readonly cacheRules: CacheRules;
  readonly secrets: Secrets;
  readonly uploads: Uploads;
  readonly layers: Layers;
  readonly images: Images;
  readonly pullTimes: PullTimes;
  readonly pullTimeExclusions: PullTimeExclusions;
  readonly accountSettings: AccountSettings;
  readonly lifecycle: Lifecycle;
  readonly scanning: Scanning;
  readonly signing: Signing;
  readonly replication: Replication;
  readonly backfills: Backfills;
  readonly links: DownloadLinks;
  readonly tokens: RegistryTokens;
}

export const LEASE_SECONDS = 100;
export const UPLOAD_IDLE_SECONDS = 1000;
export const ORPHAN_SECONDS = 500;

export const accountId = '111122223333';
export const registry = { accountId, region: 'us-east-1' };
export const call: Call = { caller: openCaller(undefined, registry), registry };

/** Core with the repositories `one` and `two`. */
export async function coreUnderTest(
  settings: Partial<CoreSettings> = {},
  limits: Partial<QuotaLimits> = {},
): Promise<CoreUnderTest> {
  let now = new Date('2026-03-01T00:00:00Z');
  const clock = () => now;
  const metadata = await openSqliteMetadataStore({ file: ':memory:' });
  await metadata.migrate();
  const blobs = createMemoryBlobStore({ now: clock });
  const dependencies: CoreDependencies = {
    metadata,
    blobs,
    encryption: localEncryption({ metadata, blobs, now: clock }),
    now: clock,
    newId: () => randomUUID(),
    randomBytes: (length) => randomBytes(length),
    settings: {
      ...DEFAULT_CORE_SETTINGS,
      layerLeaseSeconds: LEASE_SECONDS,
      undoSeconds: 0,
      uploadIdleSeconds: UPLOAD_IDLE_SECONDS,
      orphanSeconds: ORPHAN_SECONDS,
      ...settings,
    },
    quotas: createQuotaGuard({ ...QUOTA_DEFAULTS, ...limits }, clock),
  };
  const parts = partsOver(dependencies);
  for (const repositoryName of ['one', 'two']) await parts.repositories.create(call, { repositoryName });
  return {
    dependencies,
    ...parts,
    pass(seconds) {
      now = secondsAfter(now, seconds);
    },
    async [Symbol.asyncDispose]() {
      await parts.caching[Symbol.asyncDispose]();
      await dependencies.blobs[Symbol.asyncDispose]();
      await metadata[Symbol.asyncDispose]();
    },
  };
}

export function partsOver(dependencies: CoreDependencies): CoreParts {
  const secrets = createSecrets(dependencies, createSecretBox(randomBytes(32), dependencies.randomBytes));
  const caching = createCaching(dependencies, {
    authorizer: openAuthorizer,
    secrets,
    connect: (target) => createUpstreamRegistry(target, { allowPrivate: true, now: dependencies.now }),
    logInAtEcr: ecrLogin,
    onUnrecorded: (error) => console.error(error),
  });
  const layers = caching.layers(createLayers(dependencies));
  const pullTimes = createPullTimes(dependencies, (error) => console.error(error));
  return {
    repositories: createRepositories(dependencies),
    creationTemplates: createCreationTemplates(dependencies),
    uploads: createUploads(dependencies),
    layers,
    images: caching.images(createImages(dependencies, pullTimes)),
    caching,
    cacheRules: caching.rules,
    secrets,
    pullTimes,
    pullTimeExclusions: createPullTimeExclusions(dependencies),
    accountSettings: createAccountSettings(dependencies),
    lifecycle: createLifecycle(dependencies),
    scanning: createScanning(dependencies, { unpack: unpackReport }),
    signing: createSigning(dependencies),
    replication: createReplication(dependencies),
    backfills: createBackfills(dependencies),
    links: createDownloadLinks(dependencies, layers),
    tokens: createRegistryTokens(dependencies),
  };
}

/** Streams bytes into a new upload, as PATCH does. */
export async function stage({ uploads }: CoreParts, repositoryName: string, bytes: Uint8Array) {
  const { uploadId } = await uploads.initiate(call, { repositoryName });
  const upload = { repositoryName, uploadId };
  await streamInto(uploads, upload, bytes);
  return upload;
}

export async function streamInto(
  uploads: Uploads,
  upload: { repositoryName: string; uploadId: string },
  bytes: Uint8Array,
): Promise<void> {
  const append = await uploads.append(call, upload);
  // A copy: what is handed over is the store's.
  append.write(new Uint8Array(bytes));
  await append.close();
}

export async function pushLayer(parts: CoreParts, repositoryName: string, content: Buffer | string): Promise<Blob> {
  const blob = blobOf(content);
  const upload = await stage(parts, repositoryName, blob.bytes);
  await parts.uploads.finish(call, { ...upload, digest: blob.digest as Digest });
  return blob;
}

/** The bytes of a layer as a client would get them; undefined when the repository does not have it. */
export async function readLayer({ layers }: CoreParts, repositoryName: string, digest: string) {
  const found = await refusalOf(layers.open(call, { repositoryName, digest }));
  if ('refusal' in found) return undefined;
  await using reader = await found.value.read();
  const chunks: Uint8Array[] = [];
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What core refused, or what it gave; any other error comes out. */
export async function refusalOf<T>(work: Promise<T>): Promise<{ refusal: Refusal } | { value: T }> {
  try {
    return { value: await work };
  } catch (error) {
    if (error instanceof RefusedError) return { refusal: error.refusal };
    throw error;
  }
}

/** The kind of refusal; 'none' when there was none. */
export async function kindOf(work: Promise<unknown>): Promise<string> {
  const outcome = await refusalOf(work);
  return 'refusal' in outcome ? outcome.refusal.kind : 'none';
}
