import type { SecretBox } from '../access/secret-box.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { Registry } from '../values/registry.ts';
import type { OpenPeer } from './peer-connection.ts';
import type { Peer, PeerSettings } from './peer-records.ts';
import { registryKey } from './replication-rules.ts';

/** What was asked of a peer cannot be done; the message says why. */
export class PeerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PeerError';
  }
}

/** Administration of the registries elsewhere. Throws PeerError. */
export interface Peers {
  /** @param replace an existing one is changed, and keeps its secret when none is given; else it is refused */
  put(peer: NewPeer, options: { readonly replace: boolean }): Promise<Peer>;
  get(registry: Registry): Promise<Peer>;
  /** In the order of accounts and regions. */
  list(): Promise<Peer[]>;
  remove(registry: Registry): Promise<void>;
}

export interface NewPeer extends Omit<Peer, 'sealedSecret' | 'createdAt'> {
  readonly secret?: string;
}

/** More than a configuration can name. */
const PEERS_MAX = 200;

export function createPeers({ metadata, now }: CoreDependencies, box: SecretBox): Peers {
  return {
    async put({ secret, ...peer }, { replace }) {
      const sealed = secret === undefined ? undefined : box.seal(secret, secretContext(peer.registry));
      const createdAt = now();
      return metadata.transaction('registry', async ({ peers }) => {
        const before = await peers.find(peer.registry);
        if (sealed) checkKey(box, await peers.list());
        if (before && !replace) {
          throw new PeerError(`There is a peer ${registryKey(peer.registry)} already; --replace changes it`);
        }
        if (!before && (await peers.list()).length >= PEERS_MAX) {
          throw new PeerError(`There are ${PEERS_MAX} peers, which is as many as there may be`);
        }
        const sealedSecret = sealed ?? keptSecret(before, peer);
        if (!sealedSecret && isSomebody(peer.settings)) {
          throw new PeerError('The secret is missing: give --password-stdin, --password-file or --secret-file');
        }
        const put = { ...peer, ...(sealedSecret && { sealedSecret }), createdAt: before?.createdAt ?? createdAt };
        await peers.put(put);
        return put;
      });
    },
    get: async (registry) => (await metadata.read.peers.find(registry)) ?? refuseUnknown(registry),
    list: () => metadata.read.peers.list(),
    async remove(registry) {
      const wasThere = await metadata.transaction('registry', ({ peers }) => peers.delete(registry));
      if (!wasThere) refuseUnknown(registry);
    },
  };
}

/** A secret under another key than the server's would not open there. */
function checkKey(box: SecretBox, peers: readonly Peer[]): void {
  const sealed = peers.find(({ sealedSecret }) => sealedSecret !== undefined);
  if (sealed) openPeer(box, sealed);
}

/** With its secret open. Throws PeerError when it was sealed under another key. */
export function openPeer(box: SecretBox, { registry, url, settings, sealedSecret }: Peer): OpenPeer {
  if (sealedSecret === undefined) return { registry, url, settings };
  try {
    return { registry, url, settings, secret: box.open(sealedSecret, secretContext(registry)) };
  } catch {
    throw new PeerError(
      `The secret of the peer ${registryKey(registry)} does not open: the key file is not the one that it was sealed under`,
    );
  }
}

function isSomebody({ username, accessKeyId }: PeerSettings): boolean {
  return username !== undefined || accessKeyId !== undefined;
}

/** Of somebody else's password nothing is kept. */
function keptSecret(before: Peer | undefined, { url, settings }: Omit<NewPeer, 'secret'>): Uint8Array | undefined {
  const { username, accessKeyId, apiUrl } = settings;
  const isSame =
    before?.url === url &&
    before.settings.username === username &&
    before.settings.accessKeyId === accessKeyId &&
    before.settings.apiUrl === apiUrl;
  return isSame ? before.sealedSecret : undefined;
}

function secretContext(registry: Registry): string {
  return `peer/${registryKey(registry)}`;
}

function refuseUnknown(registry: Registry): never {
  throw new PeerError(`There is no peer ${registryKey(registry)}; gantry peer list shows those there are`);
}
