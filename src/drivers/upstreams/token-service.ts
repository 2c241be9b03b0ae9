import type { UpstreamCredentials } from '../../core/upstreams/upstream.ts';
import { answerFault } from './answer-faults.ts';
import type { Connections } from './connections.ts';
import { Fault } from './fault.ts';
import { sendFollowing } from './follow-redirects.ts';
import { basicHeader, type KnownCredentials } from './known-credentials.ts';
import { readJson } from './read-json.ts';
import type { Answer } from './send-request.ts';

/** Where a registry sends its clients for tokens. */
export interface Realm {
  readonly url: URL;
  readonly service?: string;
  /** Whether the credentials would get there unseen. */
  readonly takesCredentials: boolean;
}

/** Bearer tokens of a registry's token service, kept until shortly before they expire. */
export interface TokenService {
  /**
   * @param scopes what the token is kept for
   * @param asked what the service is asked for when there is none yet
   */
  token(realm: Realm, scopes: readonly string[], asked: readonly string[]): Promise<string>;
  /** Called when the registry did not take a token. */
  forget(scopes: readonly string[], token: string): void;
}

const ANSWER_BYTES_MAX = 1024 * 1024;
const TOKENS_MAX = 1000;
/** distribution's "Token Authentication Specification": what a service means that does not say. */
const EXPIRES_SECONDS_DEFAULT = 60;
const EXPIRES_SECONDS_MAX = 86_400;
/** A token is not used in the last part of its life. */
const USABLE_SHARE = 0.8;

interface KeptToken {
  readonly text: string;
  readonly usableUntil: number;
}

export function createTokenService(
  connections: Connections,
  credentials: KnownCredentials,
  now: () => Date,
): TokenService {
  const kept = new Map<string, KeptToken>();
  const asking = new Map<string, Promise<KeptToken>>();

  const ask = async (key: string, realm: Realm, asked: readonly string[]) => {
    const token = await fetchToken(connections, realm, asked, credentials, now);
    const [oldest] = kept.keys();
    if (kept.size >= TOKENS_MAX && oldest !== undefined) kept.delete(oldest);
    kept.set(key, token);
    return token;
  };

  return {
    async token(realm, scopes, asked) {
      const key = scopes.join(' ');
      const known = kept.get(key);
      if (known !== undefined && known.usableUntil > now().getTime()) return known.text;
      kept.delete(key);
      const underWay = asking.get(key) ?? ask(key, realm, asked).finally(() => asking.delete(key));
      asking.set(key, underWay);
      return (await underWay).text;
    },
    forget(scopes, token) {
      const key = scopes.join(' ');
      if (kept.get(key)?.text === token) kept.delete(key);
    },
  };
}

async function fetchToken(
  connections: Connections,
  realm: Realm,
  scopes: readonly string[],
  known: KnownCredentials,
  now: () => Date,
): Promise<KeptToken> {
  const credentials = await known.get();
  if (credentials !== undefined && !realm.takesCredentials) {
    throw new Fault('invalid', `its token service ${realm.url.host} gets no password without TLS`);
  }
  const askedAt = now().getTime();
  let answer = await askService(connections, realm, scopes, credentials);
  if (answer.status === 401 && credentials !== undefined) {
    const fresh = await known.refresh(credentials);
    if (fresh !== undefined) {
      answer.body.discard();
      answer = await askService(connections, realm, scopes, fresh);
    }
  }
  if (answer.status !== 200) throw await serviceFault(realm, answer);
  return readToken(await readJson(answer, ANSWER_BYTES_MAX), askedAt);
}

function askService(
  connections: Connections,
  realm: Realm,
  scopes: readonly string[],
  credentials: UpstreamCredentials | undefined,
): Promise<Answer> {
  const url = new URL(realm.url);
  if (realm.service !== undefined) url.searchParams.set('service', realm.service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credentials !== undefined) url.searchParams.set('account', credentials.username);
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Encoding': 'identity' };
  if (credentials !== undefined) headers.Authorization = basicHeader(credentials);
  return sendFollowing(connections, { method: 'GET', url, headers, answerSeconds: connections.idleSeconds });
}

/** Whatever a token service has against a request is about who asks. */
async function serviceFault(realm: Realm, answer: Answer): Promise<Fault> {
  const { code, message, isPassing, retryAfterSeconds } = await answerFault(answer);
  const facts = { status: answer.status, isPassing, retryAfterSeconds };
  const isAboutCaller = ['denied', 'not-found', 'refused'].includes(code);
  return new Fault(isAboutCaller ? 'unauthorized' : code, `no token of ${realm.url.host}: ${message}`, facts);
}

function readToken(document: Record<string, unknown>, askedAt: number): KeptToken {
  const text = document.token ?? document.access_token;
  if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text)) {
    throw new Fault('invalid', 'its token service gave no token');
  }
  const expires = Number(document.expires_in ?? EXPIRES_SECONDS_DEFAULT);
  const seconds = expires > 0 ? Math.min(expires, EXPIRES_SECONDS_MAX) : EXPIRES_SECONDS_DEFAULT;
  return { text, usableUntil: askedAt + seconds * 1000 * USABLE_SHARE };
}
