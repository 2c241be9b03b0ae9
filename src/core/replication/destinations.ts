import { rootArn } from '../access/arn.ts';
import type { Authorizer } from '../access/authorizer.ts';
import type { Caller } from '../access/caller.ts';
import type { SecretBox } from '../access/secret-box.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { ensureRepository } from '../repositories/create-repository.ts';
import { createKnownBlobs, type KnownBlobs } from '../transfer/known-blobs.ts';
import { createLocalTarget } from '../transfer/local-target.ts';
import { createRemoteTarget } from '../transfer/remote-target.ts';
import { createSharedWork } from '../transfer/shared-work.ts';
import type { ImageTarget } from '../transfer/transfer.ts';
import { UpstreamError } from '../upstreams/upstream.ts';
import { partitionOf, type Registry, repositoryArn } from '../values/registry.ts';
import type { ConnectPeer, PeerConnection } from './peer-connection.ts';
import type { Peer } from './peer-records.ts';
import { openPeer } from './peers.ts';
import { registryKey } from './replication-rules.ts';
import { createSilentDestinations } from './silent-destinations.ts';

/** The registries that images are copied to: those of this server, and its peers. */
export interface Destinations extends AsyncDisposable {
  /**
   * Works with a destination's repository of a name, which is made when it is missing. Rejects with access-denied when the policy of
   * another account's registry does not let the source in, and with what work rejects with.
   */
  with<T>(
    image: { readonly source: Registry; readonly repositoryName: string; readonly destination: Registry },
    work: (target: ImageTarget) => Promise<T>,
  ): Promise<T>;
  /** Whether it is a registry of this server. */
  isLocal(destination: Registry): Promise<boolean>;
}

export interface DestinationParts {
  readonly authorizer: Authorizer;
  readonly box: SecretBox;
  readonly connect: ConnectPeer;
}

export function createDestinations(dependencies: CoreDependencies, parts: DestinationParts): Destinations {
  const { metadata } = dependencies;
  const connections = new Map<string, KnownConnection>();
  const silent = createSilentDestinations();
  const sharedWork = createSharedWork();

  /** A peer that was changed is connected to anew. */
  const connectionTo = async (peer: Peer, source: Registry): Promise<KnownConnection> => {
    const key = `${registryKey(source)} ${registryKey(peer.registry)}`;
    const form = JSON.stringify([peer.url, peer.settings, Buffer.from(peer.sealedSecret ?? []).toString('base64')]);
    const present = connections.get(key);
    if (present?.form === form) return present;
    const connection = parts.connect(openPeer(parts.box, peer), source);
    const made = { connection, form, known: createKnownBlobs(dependencies.now), made: new Set<string>() };
    connections.set(key, made);
    await present?.connection[Symbol.asyncDispose]();
    return made;
  };

  return {
    async with({ source, repositoryName, destination }, work) {
      const peer = await metadata.read.peers.find(destination);
      if (peer) {
        const target = peerTarget(await connectionTo(peer, source), repositoryName);
        return silent.guard(registryKey(destination), (answered) => work(telling(target, answered)));
      }
      const caller = rootOf(source);
      await admit(dependencies, parts.authorizer, { caller, source, repositoryName, destination });
      await ensureRepository(dependencies, destination, repositoryName, 'REPLICATION');
      const origin = { cause: 'replication', replicatedFrom: source, sharedWork } as const;
      return work(createLocalTarget(dependencies, { caller, registry: destination }, repositoryName, origin));
    },
    isLocal: async (destination) => (await metadata.read.peers.find(destination)) === undefined,
    async [Symbol.asyncDispose]() {
      for (const { connection } of connections.values()) await connection[Symbol.asyncDispose]();
    },
  };
}

interface KnownConnection {
  readonly connection: PeerConnection;
  /** What it was made of. */
  readonly form: string;
  readonly known: KnownBlobs;
  /** Repositories that were made there, or were there already. */
  readonly made: Set<string>;
}

/** A repository is made once, not with every image: Amazon lets nobody ask that often. */
function peerTarget({ connection, known, made }: KnownConnection, repositoryName: string): ImageTarget {
  const { upstream } = connection;
  if (!connection.createRepository) return createRemoteTarget(upstream, repositoryName, { known });
  const target = createRemoteTarget(upstream, repositoryName, {
    known,
    async prepare(options) {
      if (made.has(repositoryName)) return;
      await connection.createRepository?.(repositoryName, options);
      made.add(repositoryName);
    },
  });
  const unlessGone = async <T>(asking: Promise<T>): Promise<T> => {
    try {
      return await asking;
    } catch (error) {
      if (error instanceof UpstreamError && error.code === 'not-found') made.delete(repositoryName);
      throw error;
    }
  };
  return {
    ...target,
    putBlob: (...blob) => unlessGone(target.putBlob(...blob)),
    putManifest: (...manifest) => unlessGone(target.putManifest(...manifest)),
  };
}

/** A target that is asked first of all what it has. */
function telling(target: ImageTarget, answered: () => void): ImageTarget {
  return {
    ...target,
    async has(...reference) {
      const has = await target.has(...reference);
      answered();
      return has;
    },
  };
}

/** Across accounts the registry policy of the destination decides (ECR user guide, "Registry permissions"). */
async function admit(
  { metadata }: CoreDependencies,
  authorizer: Authorizer,
  {
    caller,
    source,
    repositoryName,
    destination,
  }: {
    readonly caller: Caller;
    readonly source: Registry;
    readonly repositoryName: string;
    readonly destination: Registry;
  },
): Promise<void> {
  if (source.accountId === destination.accountId) return;
  const resource = repositoryArn(destination, repositoryName);
  await authorizer.authorize(caller, { action: 'ecr:ReplicateImage', resource, registry: destination });
  if (await metadata.read.repositories.find(destination, repositoryName)) return;
  await authorizer.authorize(caller, { action: 'ecr:CreateRepository', resource, registry: destination });
}

function rootOf({ accountId, region }: Registry): Caller {
  return { kind: 'root', accountId, arn: rootArn(partitionOf(region), accountId), userId: accountId };
}
