import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RegistryAddresses } from '../../core/access/registry-addresses.ts';
import { isRepositoryName } from '../../core/values/repository-name.ts';
import { apiVersion } from './api-version.ts';
import type { AuthenticationRefusal } from './authenticate.ts';
import type { Client } from './client.ts';
import { OciError } from './errors.ts';
import type { PathMatch } from './paths.ts';

/** Where clients find the token endpoint, when there is one. */
export const TOKEN_PATH = '/auth/token';

export interface ChallengeContext {
  readonly core: { readonly addresses: RegistryAddresses };
  /** Whether there is a token endpoint; clients without credentials ask only there. */
  readonly anonymousPull: boolean;
  readonly publicUrl: string;
}

/** The answer that makes a client log in: ECR's own, to the letter, or one that sends it to the token endpoint. */
export function sendChallenge(
  context: ChallengeContext,
  request: IncomingMessage,
  response: ServerResponse,
  { client, match, refused }: { client: Client; match: PathMatch | undefined; refused: AuthenticationRefusal },
): void {
  const challenge = context.anonymousPull
    ? bearerChallenge(context, client, scopeOf(request, match), refused === 'credentials-unknown')
    : basicChallenge(context, client);
  response.writeHead(401, {
    ...apiVersion,
    'Www-Authenticate': challenge,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': NOT_AUTHORIZED.length,
  });
  response.end(NOT_AUTHORIZED);
}

/** How a refused caller reads to a client; a 401 comes with a challenge. The words are ECR's where it has any. */
export function authenticationError(refused: AuthenticationRefusal): OciError {
  switch (refused) {
    case 'no-credentials':
      return new OciError(401, 'UNAUTHORIZED', 'No credentials were given');
    case 'credentials-unknown':
      return new OciError(401, 'UNAUTHORIZED', 'These credentials are not known, or are no longer good');
    case 'token-expired':
      return new OciError(403, 'DENIED', 'Your authorization token has expired. Reauthenticate and try again.');
    case 'token-of-other-region':
      return new OciError(403, 'DENIED', 'Your authorization token is for another region. Reauthenticate in this one.');
  }
}

/** RFC 7617. */
export function basicChallenge(context: Pick<ChallengeContext, 'core'>, client: Client): string {
  return `Basic realm="${baseOf(context, client)}/",service="${SERVICE}"`;
}

const NOT_AUTHORIZED = 'Not Authorized\n';
const SERVICE = 'ecr.amazonaws.com';

/** distribution's "Token Authentication Specification"; `error` (RFC 6750, 3.1) keeps clients from trying the same again. */
function bearerChallenge(
  context: ChallengeContext,
  client: Client,
  scope: string | undefined,
  isInvalid: boolean,
): string {
  const realm = `${context.publicUrl || baseOf(context, client)}${TOKEN_PATH}`;
  const forScope = scope === undefined ? '' : `,scope="${scope}"`;
  return `Bearer realm="${realm}",service="${SERVICE}"${forScope}${isInvalid ? ',error="invalid_token"' : ''}`;
}

function baseOf({ core: { addresses } }: Pick<ChallengeContext, 'core'>, { host, isSecure }: Client): string {
  const name = host ?? addresses.hostOf(addresses.defaultRegistry);
  return `${isSecure ? 'https' : addresses.scheme}://${name.replace(/["\\]/g, '')}`;
}

/** What clients are to ask the token endpoint for. The answer does not depend on it: policies decide at each request. */
function scopeOf({ method }: IncomingMessage, match: PathMatch | undefined): string | undefined {
  if (match?.resource === 'catalog') return 'registry:catalog:*';
  const name = match?.repositoryName;
  if (name === undefined || !isRepositoryName(name)) return undefined;
  return `repository:${name}:${SCOPE_ACTIONS[method ?? ''] ?? 'pull,push'}`;
}

const SCOPE_ACTIONS: Readonly<Record<string, string>> = { GET: 'pull', HEAD: 'pull', DELETE: 'delete' };
