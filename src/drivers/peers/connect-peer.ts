import type { ConnectPeer, OpenPeer, PeerConnection } from '../../core/replication/peer-connection.ts';
import type { Cancellation, UpstreamRegistry, UpstreamTarget } from '../../core/upstreams/upstream.ts';
import type { Registry } from '../../core/values/registry.ts';
import { createEcrApi, type EcrApi, type GuardedLookup } from './ecr-api.ts';

/** Reaches a peer, and no addresses but those that may be asked. */
export interface PeerReach {
  /** Makes the client of its OCI API. */
  openUpstream(target: UpstreamTarget, options: PeerAddresses): UpstreamRegistry;
  /** Finds the addresses of its ECR API. */
  lookupFor(url: URL, options: PeerAddresses): ReturnType<GuardedLookup>;
}

export interface PeerAddresses {
  readonly allowPrivate: boolean;
}

/** Connects to peers of every kind. Those that have the ECR API are asked there for passwords, and Amazon's to make repositories. */
export function createPeerConnector({ openUpstream, lookupFor }: PeerReach): ConnectPeer {
  return (peer, source) => {
    const addresses = { allowPrivate: peer.settings.allowsPrivate ?? false };
    const api = apiOf(peer, (url) => lookupFor(url, addresses));
    const target = targetOf(peer, source);
    if (!api) return connection(openUpstream({ ...target, ...passwordOf(peer) }, addresses));
    const upstream = openUpstream({ ...target, credentials: () => api.password() }, addresses);
    return {
      ...connection(upstream),
      ...(peer.settings.kind === 'ecr' && {
        createRepository: (name, { signal }: Cancellation) => api.createRepository(name, signal),
      }),
      async [Symbol.asyncDispose]() {
        api[Symbol.dispose]();
        await upstream[Symbol.asyncDispose]();
      },
    };
  };
}

/**
 * A Gantry is told whose copy it is, so that it makes the repository as for a copy and copies it no further; and which of its registries is
 * meant is said by a token, also where nobody asks for one.
 */
function targetOf({ url, settings: { kind } }: OpenPeer, source: Registry): UpstreamTarget {
  if (kind !== 'gantry') return { url };
  const headers = { 'Gantry-Replicated-From': `${source.accountId}/${source.region}` };
  return { url, headers, sendsCredentialsAtOnce: true };
}

function connection(upstream: UpstreamRegistry): PeerConnection {
  return { upstream, [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose]() };
}

function passwordOf({ settings: { username }, secret }: OpenPeer): Pick<UpstreamTarget, 'credentials'> {
  return username === undefined || secret === undefined ? {} : { credentials: { username, password: secret } };
}

/** A Gantry that admits everybody takes an access key id of twelve digits for that account. */
function apiOf({ registry, url, settings, secret }: OpenPeer, lookupFor: GuardedLookup): EcrApi | undefined {
  const { kind, username, accessKeyId, apiUrl } = settings;
  const endpoint = apiUrl ?? (kind === 'gantry' ? url : undefined);
  const place = {
    region: registry.region,
    registryId: registry.accountId,
    lookupFor,
    ...(endpoint !== undefined && { endpoint }),
  };
  if (accessKeyId !== undefined && secret !== undefined)
    return createEcrApi({ ...place, accessKeyId, secretAccessKey: secret });
  if (kind !== 'gantry' || username !== undefined) return undefined;
  return createEcrApi({ ...place, accessKeyId: registry.accountId, secretAccessKey: 'open' });
}
