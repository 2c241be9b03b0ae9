import { type ClientRequest, Agent as HttpAgent, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { getCACertificates } from 'node:tls';
import { AddressGuard, type AddressOptions } from './address-guard.ts';
import { Fault } from './fault.ts';

export interface ConnectionOptions extends AddressOptions {
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
}

export interface OpenRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Opens connections, and only to addresses that may be asked; a kept connection was checked when it was made. */
export class Connections implements Disposable {
  readonly connectSeconds: number;
  readonly idleSeconds: number;
  readonly documentSeconds: number;
  readonly commitSeconds: number;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  readonly #addresses: AddressGuard;

  constructor(options: ConnectionOptions = {}) {
    this.connectSeconds = options.connectSeconds ?? 10;
    this.idleSeconds = options.idleSeconds ?? 30;
    this.documentSeconds = options.documentSeconds ?? 120;
    this.commitSeconds = options.commitSeconds ?? 300;
    this.#addresses = new AddressGuard(options);
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
    const options: RequestOptions = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      path: `${url.pathname}${url.search}`,
      method,
      headers: { ...headers },
      lookup: this.#addresses.lookupFor(url),
      ...(url.port !== '' && { port: url.port }),
      ...(signal !== undefined && { signal }),
    };
    if (isSecure) return requestHttps({ ...options, agent: this.#https });
    return requestHttp({ ...options, agent: this.#http });
  }

  /** Whether this host is one whose private addresses may be asked. */
  allowsPrivate(url: URL): boolean {
    return this.#addresses.allowsPrivate(url);
  }

  [Symbol.dispose](): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

/** Connections wait so long for their next request. */
const KEPT = { keepAlive: true, maxFreeSockets: 16, timeout: 30_000 };
