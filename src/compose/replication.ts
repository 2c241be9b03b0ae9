import type { Authorizer } from '../core/access/authorizer.ts';
import type { SecretBox } from '../core/access/secret-box.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { createDestinations, type Destinations } from '../core/replication/destinations.ts';
import type { ConnectPeer } from '../core/replication/peer-connection.ts';
import { createPeerConnector } from '../drivers/peers/connect-peer.ts';
import { guardedLookup } from '../drivers/upstreams/address-guard.ts';
import { createUpstreamRegistry } from '../drivers/upstreams/upstream-registry.ts';

/** Reaches the registries that images are copied to. */
export function openDestinations(
  dependencies: CoreDependencies,
  { authorizer, box }: { readonly authorizer: Authorizer; readonly box: SecretBox },
): Destinations {
  return createDestinations(dependencies, { authorizer, box, connect: peerConnector(dependencies) });
}

export function peerConnector({ now }: Pick<CoreDependencies, 'now'>): ConnectPeer {
  return createPeerConnector({
    openUpstream: (target, addresses) => createUpstreamRegistry(target, { ...addresses, now }),
    lookupFor: (url, addresses) => guardedLookup(url, 'ECR API', addresses),
  });
}
