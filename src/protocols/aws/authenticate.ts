import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../core/access/caller.ts';
import { credentialScopeOf, openCaller } from '../../core/access/credential-scope.ts';
import type { RegistryAddresses } from '../../core/access/registry-addresses.ts';
import type { Registry } from '../../core/values/registry.ts';

export interface Authenticated {
  readonly caller: Caller;
  /** Region the call is meant for. */
  readonly region: string;
}

/** Finds out who asks, before the body is read. Refuses with an AwsError. */
export type Authenticate = (request: IncomingMessage) => Promise<Authenticated>;

/**
 * Admits everybody: nothing is verified, and a missing or garbled Authorization header means the default account. The
 * region is the credential's, else the one in the Host, else the default.
 */
export function openAuthentication(addresses: RegistryAddresses, defaults: Registry): Authenticate {
  return async ({ headers }) => {
    const scope = credentialScopeOf(headers.authorization);
    const region = scope?.region ?? addresses.registryOfHost(headers.host ?? '')?.region ?? defaults.region;
    return { caller: openCaller(scope, defaults), region };
  };
}
