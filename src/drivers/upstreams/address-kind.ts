import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * - `public`: anybody's
 * - `private`: of this machine or this network; asked only where that is allowed
 * - `never`: no registry lives there: link-local (where clouds keep their metadata), multicast, unspecified, reserved
 */
export interface AddressKind {
  readonly kind: 'public' | 'private' | 'never';
  /** As in `a loopback address`. */
  readonly name: string;
}

/** What an IP address in any textual form is good for (IANA's registries of special-purpose addresses, RFC 6890). */
export function addressKind(address: string): AddressKind {
  if (isIPv4(address)) return find(IPV4, address, 'ipv4') ?? PUBLIC;
  const withoutZone = address.replace(/%.*$/s, '');
  if (!isIPv6(withoutZone)) return { kind: 'never', name: 'unreadable' };
  const embedded = embeddedIPv4(groupsOf(withoutZone));
  if (embedded !== undefined) return addressKind(embedded);
  return find(IPV6, withoutZone, 'ipv6') ?? (GLOBAL.check(withoutZone, 'ipv6') ? PUBLIC : RESERVED);
}

const PUBLIC: AddressKind = { kind: 'public', name: 'public' };
const RESERVED: AddressKind = { kind: 'never', name: 'reserved' };

interface Row extends AddressKind {
  readonly addresses: BlockList;
}

// The first row that holds an address counts: single addresses stand before the ranges they lie in.
const IPV4 = [
  row('ipv4', 'never', 'metadata', ['100.100.100.200/32', '168.63.129.16/32']),
  row('ipv4', 'never', 'unspecified', ['0.0.0.0/8']),
  row('ipv4', 'never', 'link-local', ['169.254.0.0/16']),
  row('ipv4', 'never', 'multicast', ['224.0.0.0/4']),
  row('ipv4', 'never', 'reserved', ['192.0.0.0/24', '240.0.0.0/4']),
  row('ipv4', 'private', 'loopback', ['127.0.0.0/8']),
  row('ipv4', 'private', 'private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']),
  row('ipv4', 'private', 'carrier-grade NAT', ['100.64.0.0/10']),
  row('ipv4', 'private', 'test', ['192.0.2.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24']),
];

const IPV6 = [
  row('ipv6', 'never', 'metadata', ['fd00:ec2::254/128', 'fd20:ce::254/128']),
  row('ipv6', 'never', 'unspecified', ['::/128']),
  row('ipv6', 'never', 'link-local', ['fe80::/10']),
  row('ipv6', 'never', 'multicast', ['ff00::/8']),
  row('ipv6', 'never', 'reserved', ['2001::/23']),
  row('ipv6', 'private', 'loopback', ['::1/128']),
  row('ipv6', 'private', 'private', ['fc00::/7', 'fec0::/10']),
  row('ipv6', 'private', 'test', ['2001:db8::/32', '3fff::/20']),
];

/** All that IANA gives out for everybody to reach. */
const GLOBAL = row('ipv6', 'public', 'public', ['2000::/3']).addresses;

function row(
  family: 'ipv4' | 'ipv6',
  kind: AddressKind['kind'],
  name: string,
  subnets: readonly `${string}/${number}`[],
): Row {
  const addresses = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefixBits] = subnet.split('/');
    addresses.addSubnet(network, Number(prefixBits), family);
  }
  return { kind, name, addresses };
}

function find(rows: readonly Row[], address: string, family: 'ipv4' | 'ipv6'): AddressKind | undefined {
  return rows.find(({ addresses }) => addresses.check(address, family));
}

/** The IPv4 address that packets for an IPv6 address end up at: mapped or compatible (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056). */
function embeddedIPv4(groups: readonly number[]): string | undefined {
  const head = groups.slice(0, 6).map((group) => group.toString(16));
  const text = head.join(':');
  if (text === '0:0:0:0:0:ffff' || text === '64:ff9b:0:0:0:0') return dotted(groups[6], groups[7]);
  if (text === '0:0:0:0:0:0' && groups[6] !== 0) return dotted(groups[6], groups[7]);
  if (head[0] === '2002') return dotted(groups[1], groups[2]);
  return undefined;
}

function dotted(high = 0, low = 0): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight numbers of an IPv6 address; URL writes them in hexadecimal, however they were given. */
function groupsOf(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const numbers = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const first = numbers(head);
  const last = numbers(tail ?? '');
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}
