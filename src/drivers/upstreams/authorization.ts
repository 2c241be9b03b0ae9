import type { UpstreamTarget } from '../../core/upstreams/upstream.ts';
import { parseChallenges } from './challenges.ts';
import type { Connections } from './connections.ts';
import { Fault } from './fault.ts';
import { basicHeader, createKnownCredentials, type KnownCredentials } from './known-credentials.ts';
import { createTokenService, type Realm, type TokenService } from './token-service.ts';

/** Finds the Authorization header for requests to one registry, in the way the registry asks for. */
export class Authorization {
  readonly #origin: URL;
  readonly #connections: Connections;
  readonly #credentials: KnownCredentials;
  readonly #tokens: TokenService;
  /** What the registry asked for last; undefined as long as it has not. */
  #way: { readonly kind: 'basic' } | { readonly kind: 'bearer'; readonly realm: Realm } | undefined;

  constructor(
    origin: URL,
    connections: Connections,
    { credentials, sendsCredentialsAtOnce }: Pick<UpstreamTarget, 'credentials' | 'sendsCredentialsAtOnce'>,
    now: () => Date,
  ) {
    if (sendsCredentialsAtOnce) this.#way = { kind: 'basic' };
    this.#origin = origin;
    this.#connections = connections;
    this.#credentials = createKnownCredentials(credentials, now);
    this.#tokens = createTokenService(connections, this.#credentials, now);
  }

  /** @param scopes as in `repository:NAME:pull,push` */
  async headerFor(scopes: readonly string[]): Promise<string | undefined> {
    if (this.#way === undefined) return undefined;
    if (this.#way.kind === 'bearer') return `Bearer ${await this.#tokens.token(this.#way.realm, scopes, scopes)}`;
    const credentials = await this.#credentials.get();
    return credentials && basicHeader(credentials);
  }

  /**
   * Another header after a 401; undefined when there is none that would do better.
   *
   * @param challenge the WWW-Authenticate header
   * @param refused the header that was not accepted
   */
  async headerAfter(
    scopes: readonly string[],
    challenge: string | undefined,
    refused: string | undefined,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(challenge ?? '');
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'));
    if (bearer !== undefined) {
      const realm = this.#realmOf(bearer.parameters);
      this.#way = { kind: 'bearer', realm };
      if (refused?.startsWith('Bearer ')) this.#tokens.forget(scopes, refused.slice('Bearer '.length));
      const asked = bearer.parameters.get('scope')?.split(' ').filter(Boolean) ?? [];
      return `Bearer ${await this.#tokens.token(realm, scopes, [...new Set([...scopes, ...asked])])}`;
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
    this.#way = { kind: 'basic' };
    return this.#basicAfter(refused);
  }

  /** Another header after the credentials were said to be too old. */
  async headerAfterExpiry(refused: string | undefined): Promise<string | undefined> {
    return this.#way?.kind === 'basic' ? this.#basicAfter(refused) : undefined;
  }

  async #basicAfter(refused: string | undefined): Promise<string | undefined> {
    const known = await this.#credentials.get();
    if (known === undefined) return undefined;
    if (basicHeader(known) !== refused) return basicHeader(known);
    const fresh = await this.#credentials.refresh(known);
    return fresh === undefined || basicHeader(fresh) === refused ? undefined : basicHeader(fresh);
  }

  /** distribution's "Token Authentication Specification". A password goes to the token service only where nobody listens. */
  #realmOf(parameters: ReadonlyMap<string, string>): Realm {
    const url = URL.parse(parameters.get('realm') ?? '');
    if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
      throw new Fault('invalid', 'its token service has no address');
    }
    if (this.#origin.protocol === 'https:' && url.protocol !== 'https:') {
      throw new Fault('invalid', `its token service ${url.host} is not asked without TLS`);
    }
    const isSameHost = url.hostname === this.#origin.hostname;
    const isPrivate = url.protocol === 'https:' || isSameHost || this.#isOwnLoopback(url);
    const service = parameters.get('service');
    return { url, takesCredentials: isPrivate, ...(service !== undefined && { service }) };
  }

  #isOwnLoopback(url: URL): boolean {
    return LOOPBACK.test(url.hostname) && this.#connections.allowsPrivate(url);
  }
}

const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/;
