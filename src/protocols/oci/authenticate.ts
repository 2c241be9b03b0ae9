import type { IncomingMessage } from 'node:http';
import type { Call, Caller } from '../../core/access/caller.ts';
import type { Callers } from '../../core/access/callers.ts';
import type { RegistryAddresses } from '../../core/access/registry-addresses.ts';
import type { RegistryTokens } from '../../core/access/registry-tokens.ts';
import { partitionOf, type Registry } from '../../core/values/registry.ts';
import type { Client } from './client.ts';
import { givenCredentials } from './given-credentials.ts';

/** Finds out who asks and which registry is meant, or refuses. */
export type OciAuthenticator = (request: IncomingMessage, client: Client) => Promise<Authentication>;

export type Authentication = { readonly call: Call } | { readonly refused: AuthenticationRefusal };

/**
 * `no-credentials`: none that count. `credentials-unknown`: a password of nobody's. `token-expired`: once good.
 * `token-of-other-region`: a token counts in its own region alone (ECR user guide, "Registry authentication").
 */
export type AuthenticationRefusal =
  | 'no-credentials'
  | 'credentials-unknown'
  | 'token-expired'
  | 'token-of-other-region';

/**
 * Admits everybody. The registry comes from the Host if that has ECR's form, else from a token of ours (an expired one
 * too), else it is the default; the caller from the token, else it is the default account.
 */
export function createOpenAuthenticator(core: {
  readonly addresses: RegistryAddresses;
  readonly registryTokens: RegistryTokens;
}): OciAuthenticator {
  const defaultCall: Call = {
    caller: rootOf(core.addresses.defaultRegistry),
    registry: core.addresses.defaultRegistry,
  };
  return async ({ headers: { authorization } }, { host }) => {
    const ofHost = registryOfHost(core.addresses, host);
    const given = authorization === undefined ? undefined : givenCredentials(authorization);
    const token = given?.scheme === 'basic' ? await core.registryTokens.read(given.password) : undefined;
    if (ofHost === undefined && token === undefined) return { call: defaultCall };
    const { caller, registry } = token ?? defaultCall;
    return { call: { caller, registry: ofHost ?? registry } };
  };
}

/**
 * Admits who shows a token of GetAuthorizationToken or a robot token, as a password or as a bearer token; the user name does
 * not matter. The registry comes from the Host if that has ECR's form, else from the token, else it is the caller's own account
 * in the default region. What the caller may do there is for policies to say.
 *
 * @param anonymousPull whether the token endpoint's tokens for nobody count
 */
export function createEnforcedAuthenticator({
  core,
  anonymousPull,
}: {
  readonly core: { readonly addresses: RegistryAddresses; readonly callers: Callers };
  readonly anonymousPull: boolean;
}): OciAuthenticator {
  const { addresses, callers } = core;
  return async ({ headers: { authorization } }, { host }) => {
    const given = authorization === undefined ? undefined : givenCredentials(authorization);
    if (given === undefined || given.password === '') return NO_CREDENTIALS;
    const known = await callers.ofPassword(given.password);
    if (known === 'unknown') return { refused: 'credentials-unknown' };
    if (known === 'expired') return { refused: 'token-expired' };
    const { caller, registry: ofToken } = known;
    const isAnonymous = caller.kind === 'anonymous';
    if (isAnonymous && !anonymousPull) return NO_CREDENTIALS;
    const ofHost = registryOfHost(addresses, host);
    if (ofHost === undefined) return { call: { caller, registry: ofToken ?? ownRegistry(caller, addresses) } };
    const isElsewhere = ofToken !== undefined && ofToken.region !== ofHost.region;
    if (isElsewhere && !isAnonymous) return { refused: 'token-of-other-region' };
    return { call: { caller, registry: ofHost } };
  };
}

/** The registry that a Host of ECR's form names in full. */
export function registryOfHost(addresses: RegistryAddresses, host: string | undefined): Registry | undefined {
  const named = host === undefined ? undefined : addresses.registryOfHost(host);
  return named?.accountId === undefined ? undefined : { accountId: named.accountId, region: named.region };
}

const NO_CREDENTIALS: Authentication = { refused: 'no-credentials' };

function ownRegistry({ accountId }: Caller, { defaultRegistry }: RegistryAddresses): Registry {
  return accountId === '' ? defaultRegistry : { accountId, region: defaultRegistry.region };
}

function rootOf({ accountId, region }: Registry): Caller {
  return { kind: 'open', accountId, arn: `arn:${partitionOf(region)}:iam::${accountId}:root`, userId: accountId };
}
