import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../core/access/caller.ts';

/**
 * Finds out who asks, in two steps: from the head alone, before the body is read, and once more when it is there. Refuses with
 * SigV4Error and with core's credentials-unknown and credentials-expired.
 */
export interface Authentication {
  begin(request: IncomingMessage, client: Client): Promise<Claim>;
}

/** Who a request says it comes from. Nobody may act for the caller before `prove` has resolved. */
export interface Claim {
  readonly caller: Caller;
  /** Region the call is meant for. */
  readonly region: string;
  /** Whether the head alone has proven it: the signature covers a hash of the body that the client declared. */
  readonly isProven: boolean;
  /** Resolves when the signature is the caller's and covers this body. */
  prove(body: Uint8Array): Promise<void>;
}

/** Where a request comes from, trusted proxies' word for it included. */
export interface Client {
  readonly sourceIp: string | undefined;
  /** Whether its bytes were encrypted on the way. */
  readonly isSecure: boolean;
  /** The host it asked for. */
  readonly host: string | undefined;
}
