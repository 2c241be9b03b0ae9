import type { createLocalJWKSet } from 'jose';
import { fetchJson, isFetchable } from './fetch-json.ts';

export type PublishedKeys = ReturnType<typeof createLocalJWKSet>;

/** The keys that issuers of OpenID Connect tokens publish, kept for a while. */
export interface IssuerKeys {
  /**
   * @param fresh asks the issuer again, unless that was done just now
   * Throws with what went wrong, in words for whoever presents a token.
   */
  of(issuer: string, options: { fresh: boolean }): Promise<PublishedKeys>;
}

/** A key that the issuer takes back counts for no longer than this. */
const KEPT_SECONDS = 3600;
/** How often an issuer is asked because of a key that is not known, or because it did not answer: made-up tokens cost little. */
const REFRESH_INTERVAL_SECONDS = 30;

export function createIssuerKeys({ now = () => new Date() }: { now?: () => Date } = {}): IssuerKeys {
  const issuers = new Map<string, Issuer>();
  const secondsSince = (time: number) => (now().getTime() - time) / 1000;

  const ask = (name: string, issuer: Issuer) => {
    issuer.askedAt = now().getTime();
    issuer.answer = load(name).then((keys) => {
      issuer.keys = keys;
      issuer.loadedAt = now().getTime();
      return keys;
    });
    return issuer.answer;
  };

  return {
    async of(name, { fresh }) {
      const issuer = issuers.get(name) ?? { loadedAt: -Infinity, askedAt: -Infinity };
      issuers.set(name, issuer);
      const known = secondsSince(issuer.loadedAt) < KEPT_SECONDS ? issuer.keys : undefined;
      if (known && !fresh) return known;
      if (issuer.answer && secondsSince(issuer.askedAt) < REFRESH_INTERVAL_SECONDS) return known ?? issuer.answer;
      const answer = ask(name, issuer);
      // That the issuer is down now does not take back the keys it published before.
      return known ? answer.catch(() => known) : answer;
    },
  };
}

interface Issuer {
  keys?: PublishedKeys;
  loadedAt: number;
  askedAt: number;
  answer?: Promise<PublishedKeys>;
}

/** OpenID Connect Discovery 1.0, 4: the issuer's document names itself and the address of the keys. */
async function load(issuer: string): Promise<PublishedKeys> {
  const { createLocalJWKSet } = await import('jose');
  try {
    if (!isFetchable(issuer)) throw new Error('it is no https URL');
    const document = await fetchJson(`${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`);
    if (document.issuer !== issuer) throw new Error('its discovery document is of another issuer');
    const { jwks_uri: address } = document;
    if (typeof address !== 'string' || !isFetchable(address, { loopback: isLoopback(issuer) })) {
      throw new Error('its discovery document names no https address of keys');
    }
    const keys = await fetchJson(address);
    return createLocalJWKSet(keys as unknown as Parameters<typeof createLocalJWKSet>[0]);
  } catch (error) {
    const reason = `Couldn't retrieve verification key from your identity provider ${issuer}: ${(error as Error).message}`;
    throw new Error(reason, { cause: error });
  }
}

function isLoopback(issuer: string): boolean {
  return issuer.startsWith('http:');
}
