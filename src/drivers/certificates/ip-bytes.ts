import { isIPv4, SocketAddress } from 'node:net';

/** The 4 or 16 bytes of an address. */
export function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  const hex = canonical.replace(/[0-9]+(?:\.[0-9]+){3}$/, (tail) => {
    const digits = Buffer.from(tail.split('.').map(Number)).toString('hex');
    return `${digits.slice(0, 4)}:${digits.slice(4)}`;
  });
  const [head = '', tail] = hex.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
