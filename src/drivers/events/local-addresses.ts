import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Of this machine and of private networks (RFC 1918, RFC 4193), where a body may travel in the clear. */
const LOCAL = new BlockList();
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4');
LOCAL.addSubnet('10.0.0.0', 8, 'ipv4');
LOCAL.addSubnet('172.16.0.0', 12, 'ipv4');
LOCAL.addSubnet('192.168.0.0', 16, 'ipv4');
LOCAL.addAddress('::1', 'ipv6');
LOCAL.addSubnet('fc00::', 7, 'ipv6');

/** Whether an address is local; names have to be looked up first and are not. */
export function isLocalAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && LOCAL.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Looks a name up and fails unless all its addresses are local, so that the connection goes where was looked. */
export const lookupLocal: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[] = []) => {
    if (error) return callback(error, '');
    const foreign = addresses.find(({ address }) => !isLocalAddress(address));
    if (foreign) return callback(new Error(`http goes to private addresses only, and it is at ${foreign.address}`), '');
    if (options.all) return callback(null, addresses);
    callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
  });
};

/**
 * Whether a target's address may be told of events: over https, or over http where the target allows it, to a local
 * address. Names have to be looked up by `lookupLocal` all the same.
 */
export function isSafeAddress({ protocol, hostname }: URL, { allowHttp }: Readonly<Record<string, string>>): boolean {
  if (protocol === 'https:') return true;
  const host = hostname.replace(/^\[|\]$/g, '');
  return protocol === 'http:' && allowHttp === 'true' && (isIP(host) === 0 || isLocalAddress(host));
}

export const UNSAFE_ADDRESS = 'http goes to private addresses only, and only when the target allows it';
