import type { ConnectPeer, OpenPeer, PeerConnection } from '../../core/replication/peer-connection.ts';
import type { UpstreamRegistry, UpstreamTarget } from '../../core/upstreams/upstream.ts';
import { createEcrApi, type EcrApi } from './ecr-api.ts';

/** Makes the client of a registry's OCI API. */
export type OpenUpstream = (target: UpstreamTarget, options: { readonly allowPrivate: boolean }) => UpstreamRegistry;

/** Connects to peers of every kind. Those that have the ECR API are asked there for passwords, and to make repositories. */
export function createPeerConnector(openUpstream: OpenUpstream): ConnectPeer {
  return (peer) => {
    const allowPrivate = peer.settings.allowsPrivate ?? false;
    const api = apiOf(peer);
    if (!api) return connection(openUpstream({ url: peer.url, ...passwordOf(peer) }, { allowPrivate }));
    const upstream = openUpstream({ url: peer.url, credentials: () => api.password() }, { allowPrivate });
    return {
      ...connection(upstream),
      createRepository: (name, { signal }) => api.createRepository(name, signal),
      async [Symbol.asyncDispose]() {
        api[Symbol.dispose]();
        await upstream[Symbol.asyncDispose]();
      },
    };
  };
}

function connection(upstream: UpstreamRegistry): PeerConnection {
  return { upstream, [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose]() };
}

function passwordOf({ settings: { username }, secret }: OpenPeer): Pick<UpstreamTarget, 'credentials'> {
  return username === undefined || secret === undefined ? {} : { credentials: { username, password: secret } };
}

/** A Gantry that admits everybody takes an access key id of twelve digits for that account. */
function apiOf({ registry, url, settings, secret }: OpenPeer): EcrApi | undefined {
  const { kind, username, accessKeyId, apiUrl } = settings;
  const endpoint = apiUrl ?? (kind === 'gantry' ? url : undefined);
  const place = {
    region: registry.region,
    registryId: registry.accountId,
    ...(endpoint !== undefined && { endpoint }),
  };
  if (accessKeyId !== undefined && secret !== undefined)
    return createEcrApi({ ...place, accessKeyId, secretAccessKey: secret });
  if (kind !== 'gantry' || username !== undefined) return undefined;
  return createEcrApi({ ...place, accessKeyId: registry.accountId, secretAccessKey: 'open' });
}
