import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call } from '../../core/access/caller.ts';
import type { GateNote } from '../../core/gates/gate-decision.ts';
import { repositoryArn } from '../../core/values/registry.ts';
import {
  isRepositoryName,
  REPOSITORY_NAME_LENGTH_MAX,
  REPOSITORY_NAME_LENGTH_MIN,
  REPOSITORY_NAME_PATTERN,
} from '../../core/values/repository-name.ts';
import type { Handler } from '../../http/handler.ts';
import { answerError } from './answer-error.ts';
import { type AuditDraft, auditErrorOf, newAuditDraft, parametersOf, recordDraft } from './audit-draft.ts';
import type { AuthenticationRefusal } from './authenticate.ts';
import { authorize } from './authorize.ts';
import { authenticationError, sendChallenge } from './challenge.ts';
import type { Client } from './client.ts';
import { OciError } from './errors.ts';
import type { OciContext } from './exchange.ts';
import { ENCODED_NUL, matchPath, type PathMatch } from './paths.ts';
import { type Route, routes } from './routes.ts';

/** Everything under /v2/: the OCI distribution specification 1.1, which is ECR's docker endpoint. */
export function createOciHandler(context: OciContext): Handler {
  return async (request, response) => {
    const client = context.clientOf(request);
    const draft = newAuditDraft(context.now());
    try {
      await answer(context, request, response, client, draft);
    } catch (error) {
      draft.error = auditErrorOf(error);
      answerError(request, response, error);
    } finally {
      recordDraft(context.core.audit, request, client, draft);
    }
  };
}

async function answer(
  context: OciContext,
  request: IncomingMessage,
  response: ServerResponse,
  client: Client,
  draft: AuditDraft,
): Promise<void> {
  const target = request.url ?? '';
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? NO_QUERY : new URLSearchParams(target.slice(mark + 1));
  const match = matchPath(path);
  const route = match === undefined ? undefined : routes[match.resource][request.method ?? ''];
  begin(draft, request, path, query, match, route);
  const authentication = await context.authenticate(request, client);
  if ('refused' in authentication) {
    return refuseCaller(context, { request, response, client, match, refused: authentication.refused }, draft);
  }
  const onGate = (note: GateNote) => {
    draft.gates = [...(draft.gates ?? []), note];
  };
  const call: Call = { ...authentication.call, facts: client, onGate };
  draft.caller = call.caller;
  draft.registry = call.registry;
  refuseTooFast(context, call, client, draft.eventName);
  if (match === undefined) throw new OciError(404, 'UNSUPPORTED', `There is nothing at ${path}`);
  if (mark >= 0 && target.includes(ENCODED_NUL, mark)) {
    throw new OciError(400, 'UNSUPPORTED', 'A parameter must not contain the character U+0000');
  }
  const { resource, parameter, repositoryName = '' } = match;
  if (route === undefined) throw methodNotAllowed(request.method, path, Object.keys(routes[resource]));
  if (match.repositoryName !== undefined) {
    checkName(repositoryName);
    draft.resources = [repositoryArn(call.registry, repositoryName)];
  }
  const exchange = { request, response, context, call, client, repositoryName, parameter, query };
  if (route.action !== undefined) draft.decision = await authorize(exchange, route.action, repositoryName);
  await route.handle(exchange);
}

const NO_QUERY = new URLSearchParams();

function begin(
  draft: AuditDraft,
  request: IncomingMessage,
  path: string,
  query: URLSearchParams,
  match: PathMatch | undefined,
  route: Route | undefined,
): void {
  if (match === undefined || route === undefined) {
    draft.eventName = 'UnknownRoute';
    draft.requestParameters = { method: request.method ?? '', path: path.slice(0, 300) };
  } else if (route.action !== undefined) {
    draft.eventName = route.action.slice(route.action.indexOf(':') + 1);
    draft.requestParameters = parametersOf(match, query);
  }
}

interface Refused {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly client: Client;
  readonly match: PathMatch | undefined;
  readonly refused: AuthenticationRefusal;
}

/** Whoever shows the wrong password is worth an entry, be it at `/v2/` alone: that is where docker logs in. */
function refuseCaller(context: OciContext, { request, response, ...refusal }: Refused, draft: AuditDraft): void {
  if (refusal.refused !== 'no-credentials') draft.eventName ??= 'Authenticate';
  const error = authenticationError(refusal.refused);
  if (error.status !== 401) throw error;
  draft.error = { code: error.code, message: error.message };
  sendChallenge(context, request, response, refusal);
}

/** Rates are a principal's; of callers that nobody knows, an address's. */
function refuseTooFast({ throttle }: OciContext, { caller }: Call, { sourceIp }: Client, operation = ''): void {
  if (throttle?.take(caller.arn || sourceIp, operation) === false) {
    // ECR's words.
    throw new OciError(429, 'TOOMANYREQUESTS', 'Rate exceeded');
  }
}

function methodNotAllowed(method: string | undefined, path: string, allowed: readonly string[]): OciError {
  const allow = allowed.join(', ');
  return new OciError(405, 'UNSUPPORTED', `${method} is not for ${path}, which takes ${allow}`, { Allow: allow });
}

/** Names are never decoded: what needs an escape, such as a slash in disguise, is no name. */
function checkName(name: string): void {
  if (isRepositoryName(name)) return;
  const constraint =
    name.length < REPOSITORY_NAME_LENGTH_MIN
      ? `must have length greater than or equal to ${REPOSITORY_NAME_LENGTH_MIN}`
      : name.length > REPOSITORY_NAME_LENGTH_MAX
        ? `must have length less than or equal to ${REPOSITORY_NAME_LENGTH_MAX}`
        : `must satisfy regular expression '${REPOSITORY_NAME_PATTERN}'`;
  const message = `Invalid parameter at 'repositoryName' failed to satisfy constraint: '${constraint}'`;
  throw new OciError(400, 'NAME_INVALID', message);
}
