import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net';

/** What a request says of its origin, as far as it can be believed. */
export interface ClientOrigin {
  /** IPv4 or IPv6 address, never an IPv4 one in IPv6 clothing. Empty when the connection is gone. */
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /** With its port, if the client named one; undefined when there is none. */
  readonly host: string | undefined;
}

export interface TrustedProxies {
  /**
   * The client's address, scheme and host. X-Forwarded-For, -Proto and -Host count only when the connection comes from a trusted
   * proxy, and of several values only what a trusted proxy wrote: each adds its own at the end.
   */
  originOf(request: IncomingMessage): ClientOrigin;
}

/** @param cidrs such as `10.0.0.0/8`, `fd00::/8` or a single address; throws RangeError with the one that is none */
export function createTrustedProxies(cidrs: readonly string[]): TrustedProxies {
  const trusted = new BlockList();
  for (const cidr of cidrs) addRange(trusted, cidr);
  const isTrusted = (address: string) => trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  return {
    originOf(request) {
      const peer = normalAddress(request.socket.remoteAddress ?? '') ?? '';
      const scheme = 'encrypted' in request.socket ? 'https' : 'http';
      const { host } = request.headers;
      if (peer === '' || !isTrusted(peer)) return { address: peer, scheme, host };
      const { address, hops } = clientBehind(peer, valuesOf(request, 'x-forwarded-for'), isTrusted);
      const forwardedScheme = outermost(valuesOf(request, 'x-forwarded-proto'), hops)?.toLowerCase();
      const forwardedHost = outermost(valuesOf(request, 'x-forwarded-host'), hops);
      return {
        address,
        scheme: forwardedScheme === 'http' || forwardedScheme === 'https' ? forwardedScheme : scheme,
        host: forwardedHost !== undefined && HOST.test(forwardedHost) ? forwardedHost : host,
      };
    },
  };
}

/** A name or address with or without a port (RFC 3986, 3.2.2), and nothing that could end a header or begin a path. */
const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/;

/** @returns the first address from the right that is no trusted proxy's, and how many trusted proxies stand before it */
function clientBehind(
  peer: string,
  forwarded: readonly string[],
  isTrusted: (address: string) => boolean,
): { address: string; hops: number } {
  let address = peer;
  let hops = 1;
  for (const text of forwarded.toReversed()) {
    const before = normalAddress(text);
    // The proxy that wrote this does not know who asked it; nothing further left can be believed either.
    if (before === undefined) break;
    address = before;
    if (!isTrusted(before)) break;
    hops += 1;
  }
  return { address, hops };
}

/** Of a list to which each proxy adds at the end: what the outermost of so many wrote, or the first one when fewer did. */
function outermost(values: readonly string[], hops: number): string | undefined {
  return values.at(-Math.min(hops, values.length));
}

function valuesOf({ headers }: IncomingMessage, name: string): string[] {
  const value = headers[name];
  if (value === undefined) return [];
  return [value]
    .flat()
    .join(',')
    .split(',')
    .map((one) => one.trim());
}

/** Without port, brackets and zone; undefined for what is no address. */
function normalAddress(text: string): string | undefined {
  const [, bracketed, withPort] = /^\[([^\]]*)\](?::[0-9]{1,5})?$|^([0-9.]+):[0-9]{1,5}$/.exec(text) ?? [];
  const address = (bracketed ?? withPort ?? text).replace(/%.*$/, '');
  if (isIP(address) === 0) return undefined;
  if (!isIPv6(address)) return address;
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  const [, mapped] = /^::ffff:([0-9.]+)$/i.exec(canonical) ?? [];
  return mapped ?? canonical;
}

function addRange(trusted: BlockList, cidr: string): void {
  const [, text = '', bits] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(cidr.trim()) ?? [];
  const address = normalAddress(text);
  const isMapped = isIPv6(text) && address !== undefined && !isIPv6(address);
  const family = address !== undefined && isIPv6(address) ? 'ipv6' : 'ipv4';
  const bitsMax = family === 'ipv6' ? 128 : 32;
  const prefix = bits === undefined ? bitsMax : Number(bits) - (isMapped ? 96 : 0);
  if (address === undefined || text.includes('[') || prefix < 0 || prefix > bitsMax) {
    throw new RangeError(`'${cidr}' is not an address range like 10.0.0.0/8 or fd00::/8`);
  }
  trusted.addSubnet(address, prefix, family);
}
