import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../core/access/caller.ts';

/** Finds out who asks; refuses with SigV4Error and with core's credentials-unknown and credentials-expired. */
export interface Authentication {
  begin(request: IncomingMessage, client: Client): Promise<Claim>;
}

/** Who a request says it comes from; it holds once `prove` has resolved. */
export interface Claim {
  readonly caller: Caller;
  readonly region: string;
  prove(body: Uint8Array): Promise<void>;
}

/** Where a request comes from, trusted proxies' word for it included. */
export interface Client {
  readonly sourceIp: string | undefined;
  /** Whether its bytes were encrypted on the way. */
  readonly isSecure: boolean;
  readonly host: string | undefined;
}
