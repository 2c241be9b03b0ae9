import type { IncomingMessage, ServerResponse } from 'node:http';
import { ANONYMOUS, type Callers } from '../../core/access/callers.ts';
import type { RegistryAddresses } from '../../core/access/registry-addresses.ts';
import type { RegistryTokens } from '../../core/access/registry-tokens.ts';
import type { AuditTrail } from '../../core/audit/audit-trail.ts';
import { readBody } from '../../http/body.ts';
import type { Handler } from '../../http/handler.ts';
import { sendJson } from '../../http/json.ts';
import { answerError } from './answer-error.ts';
import { type AuditDraft, auditErrorOf, newAuditDraft, recordDraft } from './audit-draft.ts';
import { registryOfHost } from './authenticate.ts';
import { authenticationError, basicChallenge } from './challenge.ts';
import type { Client, ClientOf } from './client.ts';
import { OciError } from './errors.ts';
import { givenCredentials } from './given-credentials.ts';

export interface TokenEndpointContext {
  readonly core: {
    readonly addresses: RegistryAddresses;
    readonly audit: AuditTrail;
    readonly callers: Callers;
    readonly registryTokens: RegistryTokens;
  };
  readonly clientOf: ClientOf;
  readonly now: () => Date;
}

/**
 * GET and POST of the path that a Bearer challenge names (distribution's "Token Authentication Specification", and its OAuth2
 * form). Without credentials the token is one for nobody, with which public repositories can be pulled.
 */
export function createTokenEndpoint(context: TokenEndpointContext): Handler {
  return async (request, response) => {
    const client = context.clientOf(request);
    const draft = newAuditDraft(context.now());
    draft.eventName = 'GetAuthorizationToken';
    try {
      sendToken(response, context.now(), await tokenFor(context, request, client, draft));
    } catch (error) {
      draft.error = auditErrorOf(error);
      answerError(request, response, error);
    } finally {
      recordDraft(context.core.audit, request, client, draft);
    }
  };
}

interface Token {
  readonly text: string;
  readonly expiresAt: Date;
}

async function tokenFor(
  context: TokenEndpointContext,
  request: IncomingMessage,
  client: Client,
  draft: AuditDraft,
): Promise<Token> {
  const { callers, registryTokens, addresses } = context.core;
  const password = await passwordOf(context, request, client);
  if (password === undefined) {
    draft.caller = ANONYMOUS;
    const registry = registryOfHost(addresses, client.host) ?? addresses.defaultRegistry;
    const { password: text, expiresAt } = await registryTokens.issue(ANONYMOUS, registry);
    return { text, expiresAt };
  }
  const known = await callers.ofPassword(password);
  if (known === 'unknown') throw refused(context, client);
  if (known === 'expired') throw authenticationError('token-expired');
  draft.caller = known.caller;
  // The password is the token: a new one would outlive it, and could be changed for a newer one for ever.
  const read = await registryTokens.read(password);
  return { text: password, expiresAt: read?.expiresAt ?? new Date(context.now().getTime() + ROBOT_TOKEN_MS) };
}

/** How long a client keeps a robot token as bearer before it shows its credentials again. */
const ROBOT_TOKEN_MS = 300_000;

/** Undefined where there are no credentials, or empty ones. */
async function passwordOf(
  context: TokenEndpointContext,
  request: IncomingMessage,
  client: Client,
): Promise<string | undefined> {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'POST') {
    throw new OciError(405, 'UNSUPPORTED', `${method} is not for the token endpoint`, { Allow: 'GET, POST' });
  }
  const form = method === 'POST' ? await readForm(request) : undefined;
  const { authorization } = headers;
  const given = authorization === undefined ? ofForm(form) : givenCredentials(authorization);
  if (given === undefined) throw refused(context, client);
  return given.userName === '' && given.password === '' ? undefined : given.password;
}

const FORM_BYTES_MAX = 64 * 1024;

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams((await readBody(request, { bytesMax: FORM_BYTES_MAX })).toString('utf8'));
}

/** Clients that speak OAuth2 put their credentials, or a token that they kept, into the form (RFC 6749, 4.3 and 6). */
function ofForm(form: URLSearchParams | undefined): { userName: string; password: string } {
  const kept = form?.get('refresh_token') ?? '';
  const password = kept === '' ? (form?.get('password') ?? '') : kept;
  return { userName: form?.get('username') ?? '', password };
}

function refused(context: TokenEndpointContext, client: Client): OciError {
  const { status, code, message } = authenticationError('credentials-unknown');
  return new OciError(status, code, message, { 'Www-Authenticate': basicChallenge(context, client) });
}

function sendToken(response: ServerResponse, now: Date, { text, expiresAt }: Token): void {
  const seconds = Math.max(0, Math.floor((expiresAt.getTime() - now.getTime()) / 1000));
  sendJson(
    response,
    200,
    { token: text, access_token: text, token_type: 'Bearer', expires_in: seconds, issued_at: now.toISOString() },
    { 'Cache-Control': 'no-store' },
  );
}
