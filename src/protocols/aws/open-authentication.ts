import { credentialScopeOf, openCaller } from '../../core/access/credential-scope.ts';
import type { RegistryAddresses } from '../../core/access/registry-addresses.ts';
import type { Registry } from '../../core/values/registry.ts';
import type { Authentication } from './authenticate.ts';

/**
 * Admits everybody: nothing is verified, and a missing or garbled Authorization header means the default account. The
 * region is the credential's, else the one in the Host, else the default.
 */
export function openAuthentication(addresses: RegistryAddresses, defaults: Registry): Authentication {
  return {
    async begin({ headers }, { host = '' }) {
      const scope = credentialScopeOf(headers.authorization);
      const region = scope?.region ?? addresses.registryOfHost(host)?.region ?? defaults.region;
      return { caller: openCaller(scope, { ...defaults, region }), region, isProven: true, prove: async () => {} };
    },
  };
}
