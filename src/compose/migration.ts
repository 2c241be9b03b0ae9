import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call } from '../core/access/caller.ts';
import { createCacheRules } from '../core/caching/cache-rules.ts';
import { createCacheUpstreams } from '../core/caching/cache-upstreams.ts';
import { createRuleTable } from '../core/caching/rule-table.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { createLocalRegistry } from '../core/migration/local-registry.ts';
import { createLocalSettings } from '../core/migration/local-settings.ts';
import type { MigrationSource, MigrationTarget } from '../core/migration/places.ts';
import { createUpstreamSource, createUpstreamTarget, type EcrCatalog } from '../core/migration/upstream-places.ts';
import { createSecrets } from '../core/secrets/secrets.ts';
import type { UpstreamRegistry } from '../core/upstreams/upstream.ts';
import { createEcrCatalog } from '../drivers/ecr/ecr-catalog.ts';
import { type EcrPlace, ecrLogin, openEcrClient } from '../drivers/ecr/ecr-client.ts';
import { openDockerArchiveSource } from '../drivers/layouts/docker-archive-source.ts';
import { openDockerArchiveTarget } from '../drivers/layouts/docker-archive-target.ts';
import { openFolderFiles } from '../drivers/layouts/folder-files.ts';
import { openOciLayoutSource } from '../drivers/layouts/oci-layout-source.ts';
import { openOciLayoutTarget } from '../drivers/layouts/oci-layout-target.ts';
import { openTarFiles } from '../drivers/layouts/tar-files.ts';
import { ecrLogin as logInAtEcr } from '../drivers/upstreams/ecr-login.ts';
import { createUpstreamRegistry } from '../drivers/upstreams/upstream-registry.ts';
import type { Access } from './access.ts';

/** Somewhere outside this server. */
export type Place =
  | ({ readonly kind: 'registry'; readonly url: string } & Reach & {
        readonly credentials?: { readonly username: string; readonly password: string } | undefined;
      })
  | ({ readonly kind: 'ecr' } & Reach & EcrPlace)
  /** `path` is a folder, or a tar archive of one; behind a colon the name of one image may follow. */
  | { readonly kind: 'oci'; readonly path: string }
  | { readonly kind: 'docker-archive'; readonly path: string };

interface Reach {
  /** Whether it may be at an address of this machine or of a private network. */
  readonly allowPrivate: boolean;
}

type Clock = Pick<CoreDependencies, 'now'>;

/** @param repositoryName of images in files that do not say theirs */
export async function openMigrationSource(
  clock: Clock,
  place: Place,
  repositoryName: string | undefined,
): Promise<MigrationSource> {
  switch (place.kind) {
    case 'oci': {
      const { path, only } = await splitPath(place.path);
      const isFile = (await stat(path).catch(() => undefined))?.isFile();
      const files = isFile ? await openTarFiles(path) : await openFolderFiles(path);
      return openOciLayoutSource(files, { repositoryName, only });
    }
    case 'docker-archive': {
      const { path, only } = await splitPath(place.path);
      return openDockerArchiveSource(await openTarFiles(path), { repositoryName, only });
    }
    default: {
      const { upstream, catalog } = await connect(clock, place);
      return createUpstreamSource(upstream, catalog);
    }
  }
}

/**
 * @param namesRepositories whether what is written has images of several repositories
 * @param isDryRun leaves files that are not there unmade
 */
export async function openMigrationTarget(
  clock: Clock,
  place: Place,
  { namesRepositories, isDryRun }: { readonly namesRepositories: boolean; readonly isDryRun: boolean },
): Promise<MigrationTarget> {
  switch (place.kind) {
    case 'oci':
      if (isDryRun && !(await isThere(join(place.path, 'oci-layout')))) return emptyTarget(place.path);
      return openOciLayoutTarget(place.path, { namesRepositories });
    case 'docker-archive':
      if (isDryRun && !(await isThere(place.path))) return emptyTarget(place.path);
      return openDockerArchiveTarget(place.path);
    default: {
      const { upstream, catalog } = await connect(clock, place);
      return createUpstreamTarget(clock, upstream, catalog);
    }
  }
}

/** A registry of this server's folder, as either side. */
export function openLocalRegistry(dependencies: CoreDependencies, access: Pick<Access, 'box'>, call: Call) {
  const secrets = createSecrets(dependencies, access.box);
  const cacheRules = createCacheRules(dependencies, {
    secrets,
    table: createRuleTable(dependencies),
    // Nobody logs in to see whether a rule works.
    upstreams: createCacheUpstreams({ connect: createUpstreamRegistry, logInAtEcr, secrets, now: dependencies.now }),
  });
  return createLocalRegistry(dependencies, call, createLocalSettings(dependencies, call, cacheRules));
}

/** A path that is there is one, whatever colons are in it. */
async function splitPath(given: string): Promise<{ path: string; only?: string }> {
  const colon = given.indexOf(':');
  if (colon < 0 || (await isThere(given))) return { path: given };
  return { path: given.slice(0, colon), only: given.slice(colon + 1) };
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Is asked what it has, and nothing else. */
function emptyTarget(name: string): MigrationTarget {
  const never = () => Promise.reject(new Error('A dry run writes nothing'));
  return {
    name,
    prepare: never,
    repository: () => ({ has: async () => false, putBlob: never, putManifest: never, doubt: () => false }),
    async [Symbol.asyncDispose]() {},
  };
}

async function connect(
  { now }: Clock,
  place: Extract<Place, { kind: 'registry' | 'ecr' }>,
): Promise<{ upstream: UpstreamRegistry; catalog?: EcrCatalog }> {
  const options = { allowPrivate: place.allowPrivate, now };
  if (place.kind === 'registry') {
    const { url, credentials } = place;
    return { upstream: createUpstreamRegistry({ url, ...(credentials && { credentials }) }, options) };
  }
  const client = await openEcrClient(place);
  try {
    const { url: given } = await ecrLogin(client);
    // What is not Amazon's serves both APIs at one address, and may not know what it is called from here.
    const isAmazons = /\.amazonaws\.com(\.cn)?$/.test(URL.parse(given)?.hostname ?? '');
    const url = isAmazons ? given : (place.endpoint ?? given);
    const credentials = async () => (await ecrLogin(client)).credentials;
    return { upstream: createUpstreamRegistry({ url, credentials }, options), catalog: createEcrCatalog(client) };
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
}
