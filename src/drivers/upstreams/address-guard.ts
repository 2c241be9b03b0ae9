import { lookup as resolveName } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { addressKind } from './address-kind.ts';
import { Fault, throwNamed } from './fault.ts';

export interface AddressOptions {
  /**
   * Whether addresses of this machine and of private networks may be asked: all, none (unless given), or those of the named
   * hosts, each `HOST` for its scheme's own port or `HOST:PORT` as in its URL. Link-local addresses, where clouds keep their
   * metadata, multicast and reserved ones are never asked.
   */
  readonly allowPrivate?: boolean | readonly string[] | undefined;
  /** Whether http is spoken to public addresses too, and not only to private ones that may be asked. */
  readonly plainHttp?: boolean | undefined;
  /** All addresses of a name; the system's resolver unless given. */
  readonly resolve?: ResolveName | undefined;
}

export type ResolveName = (name: string) => Promise<readonly ResolvedAddress[]>;

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/**
 * Knows which addresses may be asked. A name is found once and what was checked is what is connected to, so its answer cannot
 * change in between.
 */
export class AddressGuard {
  readonly #allowPrivate: boolean | readonly string[];
  readonly #plainHttp: boolean;
  readonly #resolve: ResolveName;

  constructor(options: AddressOptions = {}) {
    const allowed = options.allowPrivate ?? false;
    this.#allowPrivate = typeof allowed === 'boolean' ? allowed : allowed.map((host) => host.toLowerCase());
    this.#plainHttp = options.plainHttp ?? false;
    this.#resolve = options.resolve ?? ((name) => resolveName(name, { all: true }));
  }

  /** Whether this host is one whose private addresses may be asked. */
  allowsPrivate({ host }: URL): boolean {
    return typeof this.#allowPrivate === 'boolean' ? this.#allowPrivate : this.#allowPrivate.includes(host);
  }

  /**
   * Finds the name of a URL for a connection; an address that may not be asked is the connection's error. For a URL with an address no name
   * is looked up.
   *
   * @throws Fault when that address may not be asked
   */
  lookupFor(url: URL): LookupFunction {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0) this.#admit(url, host);
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

/**
 * For clients that are not ours: finds names as `AddressGuard` does.
 *
 * @param asked as in the message of the UpstreamError that the connection, or this, fails with
 * @throws UpstreamError when the URL has an address that may not be asked
 */
export function guardedLookup(url: URL, asked: string, options: AddressOptions): LookupFunction {
  const named = (error: unknown): Error => {
    try {
      return throwNamed(url.host, asked, error);
    } catch (thrown) {
      return thrown as Error;
    }
  };
  try {
    const lookup = new AddressGuard(options).lookupFor(url);
    return (name, lookupOptions, callback) =>
      lookup(name, lookupOptions, (error, ...found) => callback(error && named(error), ...found));
  } catch (error) {
    throw named(error);
  }
}
