import { lookup as resolveName } from 'node:dns/promises';
import { type ClientRequest, Agent as HttpAgent, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { addressKind } from './address-kind.ts';
import { Fault } from './fault.ts';

export interface ConnectionOptions {
  /**
   * Whether addresses of this machine and of private networks may be asked: all, none (unless given), or those of the named
   * hosts, each `HOST` for its scheme's own port or `HOST:PORT` as in its URL. Link-local addresses, where clouds keep their
   * metadata, multicast and reserved ones are never asked.
   */
  readonly allowPrivate?: boolean | readonly string[] | undefined;
  /** Whether http is spoken to public addresses too, and not only to private ones that may be asked. */
  readonly plainHttp?: boolean | undefined;
  /** Certificates in PEM form that are trusted beside Node's own. */
  readonly certificateAuthorities?: readonly string[] | undefined;
  /** For finding the name, connecting and TLS; 10 unless given. */
  readonly connectSeconds?: number | undefined;
  /** For which nothing may come or go; 30 unless given. */
  readonly idleSeconds?: number | undefined;
  /** For all of an answer that is no blob; 120 unless given. */
  readonly documentSeconds?: number | undefined;
  /** For an upstream to answer when it was told that an upload is complete; 300 unless given. */
  readonly commitSeconds?: number | undefined;
  /** All addresses of a name; the system's resolver unless given. */
  readonly resolve?: ResolveName | undefined;
}

export type ResolveName = (name: string) => Promise<readonly ResolvedAddress[]>;

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface OpenRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens connections, and only to addresses that may be asked. A name is found once and what was checked is what is connected
 * to, so its answer cannot change in between; a kept connection was checked when it was made.
 */
export class Connections implements Disposable {
  readonly connectSeconds: number;
  readonly idleSeconds: number;
  readonly documentSeconds: number;
  readonly commitSeconds: number;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  readonly #allowPrivate: boolean | readonly string[];
  readonly #plainHttp: boolean;
  readonly #resolve: ResolveName;

  constructor(options: ConnectionOptions = {}) {
    this.connectSeconds = options.connectSeconds ?? 10;
    this.idleSeconds = options.idleSeconds ?? 30;
    this.documentSeconds = options.documentSeconds ?? 120;
    this.commitSeconds = options.commitSeconds ?? 300;
    const allowed = options.allowPrivate ?? false;
    this.#allowPrivate = typeof allowed === 'boolean' ? allowed : allowed.map((host) => host.toLowerCase());
    this.#plainHttp = options.plainHttp ?? false;
    this.#resolve = options.resolve ?? ((name) => resolveName(name, { all: true }));
    const own = options.certificateAuthorities ?? [];
    this.#http = new HttpAgent(KEPT);
    this.#https = new HttpsAgent({
      ...KEPT,
      ...(own.length > 0 && { ca: [...getCACertificates('default'), ...own] }),
    });
  }

  /** @throws Fault when the URL leads to where nothing is asked; for a name that shows later, as the request's error */
  request(url: URL, { method, headers, signal }: OpenRequest): ClientRequest {
    const isSecure = url.protocol === 'https:';
    if (!isSecure && url.protocol !== 'http:')
      throw new Fault('invalid', `${url.protocol} is no protocol of a registry`);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // For an address no name is looked up.
    if (isIP(host) !== 0) this.#admit(url, host);
    const options: RequestOptions = {
      host,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { ...headers },
      lookup: this.#lookupFor(url),
      ...(url.port !== '' && { port: url.port }),
      ...(signal !== undefined && { signal }),
    };
    if (isSecure) return requestHttps({ ...options, agent: this.#https });
    return requestHttp({ ...options, agent: this.#http });
  }

  /** Whether this host is one whose private addresses may be asked. */
  allowsPrivate({ host }: URL): boolean {
    return typeof this.#allowPrivate === 'boolean' ? this.#allowPrivate : this.#allowPrivate.includes(host);
  }

  [Symbol.dispose](): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #lookupFor(url: URL): LookupFunction {
    return (name, { all }, callback) => {
      this.#find(url, name).then(
        (found) => {
          const [first] = found;
          if (all) callback(null, [...found]);
          else callback(null, first?.address ?? '', first?.family ?? 0);
        },
        (error: NodeJS.ErrnoException) => callback(error, []),
      );
    };
  }

  /** Any address that may not be asked spoils the name: a registry has no business with one. */
  async #find(url: URL, name: string): Promise<readonly ResolvedAddress[]> {
    const found = await this.#resolve(name);
    if (found.length === 0) throw new Fault('unavailable', `${name} has no address`);
    for (const { address } of found) this.#admit(url, address);
    return found;
  }

  #admit(url: URL, address: string): void {
    const { kind, name } = addressKind(address);
    const where = url.hostname === address ? address : `${url.hostname} (${address})`;
    if (kind === 'never' || (kind === 'private' && !this.allowsPrivate(url))) {
      throw new Fault('forbidden-address', `${where} is a ${name} address, which is not asked`);
    }
    if (url.protocol === 'http:' && kind === 'public' && !this.#plainHttp) {
      throw new Fault('forbidden-address', `${where} is a public address, which is not asked without TLS`);
    }
  }
}

/** Connections wait so long for their next request. */
const KEPT = { keepAlive: true, maxFreeSockets: 16, timeout: 30_000 };
