import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call, Caller } from '../../core/access/caller.ts';
import type { RegistryAddresses } from '../../core/access/registry-addresses.ts';
import type { ReadToken, RegistryTokens } from '../../core/access/registry-tokens.ts';
import { partitionOf, type Registry } from '../../core/values/registry.ts';
import { apiVersion } from './api-version.ts';

/** Finds out who asks and which registry is meant, or refuses. */
export type OciAuthenticator = (request: IncomingMessage) => Promise<Authentication>;

export type Authentication = { readonly call: Call } | { readonly refused: 'no-credentials' | 'token-expired' };

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
  return async ({ headers: { host, authorization } }) => {
    const named = host === undefined ? undefined : core.addresses.registryOfHost(host);
    const ofHost = named?.accountId === undefined ? undefined : { accountId: named.accountId, region: named.region };
    const token = authorization === undefined ? undefined : await readToken(core.registryTokens, authorization);
    if (ofHost === undefined && token === undefined) return { call: defaultCall };
    const { caller, registry } = token ?? defaultCall;
    return { call: { caller, registry: ofHost ?? registry } };
  };
}

/** The answer that makes a docker client log in, as ECR words it. */
export function sendChallenge(
  { headers: { host } }: IncomingMessage,
  response: ServerResponse,
  addresses: RegistryAddresses,
): void {
  const realm = host === undefined ? addresses.hostOf(addresses.defaultRegistry) : host;
  response.writeHead(401, {
    ...apiVersion,
    'Www-Authenticate': `Basic realm="${addresses.scheme}://${realm.replace(/["\\]/g, '')}/",service="ecr.amazonaws.com"`,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': NOT_AUTHORIZED.length,
  });
  response.end(NOT_AUTHORIZED);
}

const NOT_AUTHORIZED = 'Not Authorized\n';

function rootOf({ accountId, region }: Registry): Caller {
  return { kind: 'open', accountId, arn: `arn:${partitionOf(region)}:iam::${accountId}:root`, userId: accountId };
}

/** The token in Basic credentials (RFC 7617), whatever the user name says. */
async function readToken(tokens: RegistryTokens, authorization: string): Promise<ReadToken | undefined> {
  const space = authorization.indexOf(' ');
  if (authorization.slice(0, space).toLowerCase() !== 'basic') return undefined;
  const credentials = Buffer.from(authorization.slice(space + 1), 'base64').toString('utf8');
  const colon = credentials.indexOf(':');
  return colon < 0 ? undefined : tokens.read(credentials.slice(colon + 1));
}
