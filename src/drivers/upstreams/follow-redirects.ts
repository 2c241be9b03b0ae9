import type { Connections } from './connections.ts';
import { Fault } from './fault.ts';
import { type Answer, type OutgoingRequest, sendRequest } from './send-request.ts';

const REDIRECTS_MAX = 5;

/**
 * Sends a request and follows where it is sent on to. Each place is checked like the first; Authorization goes to the origin it
 * was meant for alone, and from https it never goes on to http.
 */
export async function sendFollowing(connections: Connections, request: OutgoingRequest): Promise<Answer> {
  let { url } = request;
  for (let hop = 0; ; hop++) {
    const isAtHome = url.origin === request.url.origin;
    const headers = isAtHome ? request.headers : withoutAuthorization(request.headers);
    const answer = await sendAt(connections, { ...request, url, headers }, hop);
    const next = nextUrl(answer, request.method);
    if (next === undefined) return answer;
    answer.body.discard();
    if (hop === REDIRECTS_MAX) throw new Fault('invalid', `it redirects more than ${REDIRECTS_MAX} times`);
    if (url.protocol === 'https:' && next.protocol !== 'https:') {
      throw new Fault('invalid', `it redirects from https to ${next.protocol.slice(0, -1)} (${next.host})`);
    }
    url = next;
  }
}

/** What fails elsewhere says where. */
async function sendAt(connections: Connections, request: OutgoingRequest, hop: number): Promise<Answer> {
  if (hop === 0) return sendRequest(connections, request);
  try {
    return await sendRequest(connections, request);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, message, isPassing, cause } = error;
    throw new Fault(code, `redirected to ${request.url.host}: ${message}`, { isPassing, cause });
  }
}

/** RFC 9110, 15.4. Only what keeps the method is followed for requests that change something. */
function nextUrl({ status, headers, url }: Answer, method: string): URL | undefined {
  const isFollowed = status === 307 || status === 308 || (isReading(method) && [301, 302, 303].includes(status));
  if (!isFollowed || headers.location === undefined) return undefined;
  const next = URL.parse(headers.location, url);
  if (next === null) throw new Fault('invalid', 'it redirects to what is no URL');
  return next;
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function withoutAuthorization(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { Authorization: _kept, ...rest } = headers;
  return rest;
}
