import type { CoreDependencies } from '../dependencies.ts';
import { createKnownBlobs } from '../transfer/known-blobs.ts';
import { createRemoteSource } from '../transfer/remote-source.ts';
import { createRemoteTarget } from '../transfer/remote-target.ts';
import type { Cancellation, UpstreamRegistry } from '../upstreams/upstream.ts';
import type { MigrationImage, MigrationSource, MigrationTarget } from './places.ts';
import type { SettingsPlace } from './settings-place.ts';

/** What a registry has beside the OCI API, and knows better than that. */
export interface EcrCatalog extends Disposable {
  readonly settings: SettingsPlace;
  repositories(options?: Cancellation): AsyncIterable<string>;
  images(repositoryName: string, options?: Cancellation): AsyncIterable<MigrationImage>;
  /** One that is there is as good as made. */
  ensureRepository(repositoryName: string): Promise<void>;
}

/** Another registry as a source; its OCI API tells of nothing without a tag. */
export function createUpstreamSource(upstream: UpstreamRegistry, catalog?: EcrCatalog): MigrationSource {
  return {
    name: upstream.host,
    repositories: (options) => (catalog ?? { repositories: listRepositories }).repositories(options),
    images: (repositoryName, options) =>
      catalog ? catalog.images(repositoryName, options) : tags(repositoryName, options),
    repository: (repositoryName) => createRemoteSource(upstream, repositoryName),
    ...(catalog && { settings: catalog.settings }),
    [Symbol.asyncDispose]: () => close(upstream, catalog),
  };

  function listRepositories(options?: Cancellation) {
    return upstream.listRepositories(options);
  }

  async function* tags(repositoryName: string, options?: Cancellation): AsyncGenerator<MigrationImage> {
    for await (const tag of upstream.listTags(repositoryName, options)) yield { reference: tag, tag };
  }
}

/** Another registry as a target. Without the ECR API it makes repositories by itself, or has them. */
export function createUpstreamTarget(
  { now }: Pick<CoreDependencies, 'now'>,
  upstream: UpstreamRegistry,
  catalog?: EcrCatalog,
): MigrationTarget {
  const known = createKnownBlobs(now);
  return {
    name: upstream.host,
    repository: (repositoryName) => createRemoteTarget(upstream, repositoryName, { known }),
    prepare: async (repositoryName) => catalog?.ensureRepository(repositoryName),
    ...(catalog && { settings: catalog.settings }),
    [Symbol.asyncDispose]: () => close(upstream, catalog),
  };
}

async function close(upstream: UpstreamRegistry, catalog: EcrCatalog | undefined): Promise<void> {
  catalog?.[Symbol.dispose]();
  await upstream[Symbol.asyncDispose]();
}
