import type { Cancellation, UpstreamRegistry, UpstreamTarget } from '../../core/upstreams/upstream.ts';
import { headBlob, openBlob } from './blob-download.ts';
import { mountBlob, uploadBlob } from './blob-upload.ts';
import { type ConnectionOptions, Connections } from './connections.ts';
import { getManifest, headManifest, putManifest } from './manifests.ts';
import { pathOf, pullScopes } from './names.ts';
import { textsOf } from './pages.ts';
import { ping } from './ping.ts';
import { listReferrers } from './referrers.ts';
import { RegistryClient } from './registry-client.ts';

export interface UpstreamOptions extends ConnectionOptions {
  /** The system's clock unless given. */
  readonly now?: (() => Date) | undefined;
}

/**
 * A client of another registry over HTTP. Nothing is asked before the first method is called; connections, and the registry's
 * way of logging in, are kept until it is disposed of.
 *
 * @throws UpstreamError for an address that is no registry's
 */
export function createUpstreamRegistry(
  target: UpstreamTarget,
  { now = () => new Date(), ...options }: UpstreamOptions = {},
): UpstreamRegistry {
  const client = new RegistryClient(target, new Connections(options), now);
  return {
    host: client.host,
    ping: (options) => ping(client, options?.signal),
    getManifest: (repository, reference, options) => getManifest(client, repository, reference, options),
    headManifest: (repository, reference, options) => headManifest(client, repository, reference, options),
    headBlob: (repository, digest, options) => headBlob(client, repository, digest, options?.signal),
    openBlob: (repository, digest, options) => openBlob(client, repository, digest, options),
    mountBlob: (repository, digest, from, options) => mountBlob(client, repository, digest, from, options?.signal),
    uploadBlob: (repository, blob, options) => uploadBlob(client, repository, blob, options),
    putManifest: (repository, reference, manifest, options) =>
      putManifest(client, repository, reference, manifest, options),
    listTags: (repository, options) => listTags(client, repository, options),
    listRepositories: (options) => listRepositories(client, options),
    referrers: (repository, digest, options) => listReferrers(client, repository, digest, options?.signal),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
    },
  };
}

/** What a page is asked to hold; upstreams give fewer if they like. */
const PAGE_SIZE = 1000;

/** GET tags (end-8b). */
async function* listTags(client: RegistryClient, repository: string, options?: Cancellation): AsyncGenerator<string> {
  const asked = `tags of ${repository}`;
  const at = await client.named(asked, async () => pathOf(repository, `tags/list?n=${PAGE_SIZE}`));
  yield* textsOf(client, { at, asked, scopes: pullScopes(repository), signal: options?.signal }, 'tags');
}

/** GET catalog, which is distribution's and not in the OCI specification. */
function listRepositories(client: RegistryClient, options?: Cancellation): AsyncGenerator<string> {
  const list = { at: `_catalog?n=${PAGE_SIZE}`, asked: 'list of repositories', scopes: ['registry:catalog:*'] };
  return textsOf(client, { ...list, signal: options?.signal }, 'repositories');
}
