import type { UpstreamRegistry } from '../upstreams/upstream.ts';
import type { Registry } from '../values/registry.ts';
import type { PeerSettings } from './peer-records.ts';

/** A peer as it is connected to: its secret is open. */
export interface OpenPeer {
  readonly registry: Registry;
  readonly url: string;
  readonly settings: PeerSettings;
  readonly secret?: string;
}

export interface PeerConnection extends AsyncDisposable {
  readonly upstream: UpstreamRegistry;
  /** Makes a repository unless it is there; absent where the first push makes it, or nobody can. */
  createRepository?(name: string, options: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/**
 * Makes a connection to a peer. Nothing is asked of it before the first method is called; methods reject with UpstreamError.
 *
 * @param source the registry whose images are copied there
 */
export type ConnectPeer = (peer: OpenPeer, source: Registry) => PeerConnection;
