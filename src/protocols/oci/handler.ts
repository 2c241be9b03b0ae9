import type { IncomingMessage, ServerResponse } from 'node:http';
import { repositoryArn } from '../../core/values/registry.ts';
import {
  isRepositoryName,
  REPOSITORY_NAME_LENGTH_MAX,
  REPOSITORY_NAME_LENGTH_MIN,
  REPOSITORY_NAME_PATTERN,
} from '../../core/values/repository-name.ts';
import { BodyAbortedError } from '../../http/body.ts';
import type { Handler } from '../../http/handler.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { sendChallenge } from './authenticate.ts';
import { OciError, ociErrorOf, sendOciError } from './errors.ts';
import type { OciContext } from './exchange.ts';
import { matchPath } from './paths.ts';
import { routes } from './routes.ts';

/** Everything under /v2/: the OCI distribution specification 1.1, which is ECR's docker endpoint. */
export function createOciHandler(context: OciContext): Handler {
  return async (request, response) => {
    try {
      await answer(context, request, response);
    } catch (error) {
      answerError(request, response, error);
    }
  };
}

async function answer(context: OciContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const authentication = await context.authenticate(request);
  if ('refused' in authentication) return refuseCaller(context, authentication.refused, request, response);
  const { call } = authentication;
  const target = request.url ?? '';
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const match = matchPath(path);
  if (match === undefined) throw new OciError(404, 'UNSUPPORTED', `There is nothing at ${path}`);
  const { resource, repositoryName, parameter } = match;
  const route = routes[resource][request.method ?? ''];
  if (route === undefined) throw methodNotAllowed(request.method, path, Object.keys(routes[resource]));
  if (repositoryName !== undefined) checkName(repositoryName);
  if (route.action !== undefined) {
    const arn = repositoryName === undefined ? '*' : repositoryArn(call.registry, repositoryName);
    await context.core.authorizer.authorize(call.caller, { action: route.action, resource: arn });
  }
  const query = mark < 0 ? NO_QUERY : new URLSearchParams(target.slice(mark + 1));
  await route.handle({
    request,
    response,
    context,
    call,
    repositoryName: repositoryName ?? '',
    parameter,
    query,
  });
}

const NO_QUERY = new URLSearchParams();

function refuseCaller(
  { core }: OciContext,
  refused: 'no-credentials' | 'token-expired',
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (refused === 'token-expired') {
    // ECR's words.
    throw new OciError(403, 'DENIED', 'Your authorization token has expired. Reauthenticate and try again.');
  }
  sendChallenge(request, response, core.addresses);
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

/** Refusals are answers; a fault is answered too, and thrown on to be logged. */
function answerError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (error instanceof BodyAbortedError) {
    // Nobody is there to be answered.
    response.destroy();
    return;
  }
  const refusal = ociErrorOf(error);
  if (response.headersSent) throw error;
  if (refusal !== undefined) {
    sendOciError(response, refusal);
    return;
  }
  const message = `The server failed. It logged the reason under request id ${requestIdOf(request)}`;
  sendOciError(response, new OciError(500, 'UNKNOWN', message));
  throw error;
}
