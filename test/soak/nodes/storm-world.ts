import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerLost, createWorld, type WorldControl } from '../../crash/world.ts';
import { basic, type Credentials, ecrSigned, passwordOf } from '../../support/access.ts';
import { type HttpAnswer, type HttpRequest, http } from '../../support/http.ts';

/** Within so long another node goes on with what one was at when it died: an upload that it held, a job. */
export const GOES_ON_SECONDS = 30;
/** A step that is tried for longer meets something that does not end with the outages, which never last so long. */
const STEP_SECONDS_MAX = 2 * GOES_ON_SECONDS;
const RETRY_MS = 200;

/** Tokens of `GetAuthorizationToken`, the newest in use. */
export interface Tokens {
  current: string;
  /** Asks a node for another one. */
  renew(nodeUrl: string): Promise<void>;
}

export async function createTokens(nodeUrl: string, root: Credentials): Promise<Tokens> {
  const tokens: Tokens = {
    current: await passwordOf(nodeUrl, root),
    async renew(url) {
      tokens.current = await passwordOf(url, root);
    },
  };
  return tokens;
}

/**
 * What clients know of a cluster in which servers die: they ask the balancer, each request over a connection of its own, and
 * ask again when the answer says nothing about what was done, as docker and the SDKs do.
 */
export function createStormWorld(root: Credentials, tokens: Tokens): WorldControl {
  const world = createWorld({
    send: (url, request = {}) => send(url, request, root, tokens, (what) => world.count(what)),
    async onLost(error, sinceMs) {
      world.count(`requests tried again: ${reasonOf(error)}`);
      if (sinceMs > STEP_SECONDS_MAX * 1000) world.fail(`tried for ${Math.round(sinceMs / 1000)} s: ${error.message}`);
      await sleep(RETRY_MS + Math.random() * RETRY_MS);
    },
  });
  return world;
}

function reasonOf({ message }: AnswerLost): string {
  const status = /: (\d{3}) /.exec(message)?.[1];
  if (message.includes('the store:')) return 'the store was gone';
  return status === undefined ? 'no answer' : status < '500' ? 'the upload was held' : `answered ${status}`;
}

async function send(
  url: string,
  request: HttpRequest,
  root: Credentials,
  tokens: Tokens,
  count: (what: string) => void,
): Promise<HttpAnswer> {
  const answer = await http(url, { ...request, headers: await authorized(url, request, root, tokens) });
  if (answer.status >= 500 || isBusy(answer)) throw new Error(`${answer.status} ${answer.text().slice(0, 300)}`);
  if (answer.status !== 307) return answer;
  const bytes = await askStore(String(answer.headers.location));
  count('blobs by link');
  return bytes;
}

/** Follows a link to the store. @throws AnswerLost when the store cannot be reached, or answers with an error of its own */
export async function askStore(link: string): Promise<HttpAnswer> {
  const answer = await http(link).catch((error: Error) => {
    throw new AnswerLost(`the store: ${error.message}`);
  });
  if (answer.status >= 500) throw new AnswerLost(`the store: ${answer.status} ${answer.text().slice(0, 300)}`);
  return answer;
}

/** Requests of the API, which name an operation, are signed; all others carry a token. */
async function authorized(url: string, { headers = {}, body = '' }: HttpRequest, root: Credentials, tokens: Tokens) {
  const operation = String(headers['X-Amz-Target'] ?? '').split('.')[1];
  if (operation === undefined) return { ...headers, ...basic(tokens.current) };
  return ecrSigned(url.slice(0, -1), operation, String(body), root);
}

/** Somebody else writes the upload: a node that died, until its hold ends. */
function isBusy(answer: HttpAnswer): boolean {
  if (answer.status === 409) return answer.headers['retry-after'] !== undefined;
  return answer.status === 400 && /ThrottlingException/.test(answer.text());
}
