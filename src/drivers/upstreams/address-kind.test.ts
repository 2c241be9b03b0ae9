import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressKind } from './address-kind.ts';

const kinds: Record<string, readonly string[]> = {
  'public public': ['8.8.8.8', '100.63.255.255', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'],
  'private loopback': ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:0:0:1'],
  'private private': ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1', 'fec0::1'],
  'private carrier-grade NAT': ['100.64.0.1', '100.127.255.255'],
  'private test': ['192.0.2.1', '198.18.0.1', '2001:db8::1'],
  'never link-local': ['169.254.169.254', '169.254.170.2', 'fe80::1', 'fe80::1%eth0', '::ffff:169.254.169.254'],
  'never metadata': ['100.100.100.200', '168.63.129.16', 'fd00:ec2::254'],
  'never unspecified': ['0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0'],
  'never multicast': ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  'never reserved': ['255.255.255.255', '240.0.0.1', '192.0.0.192', '4000::1', '2001::1', '100::1'],
  'never unreadable': ['', 'localhost', '1.2.3', '1.2.3.4.5'],
};

describe('the kind of an address', () => {
  for (const [kind, addresses] of Object.entries(kinds)) {
    it(`is ${kind}`, () => {
      for (const address of addresses) {
        const found = addressKind(address);
        assert.equal(`${found.kind} ${found.name}`, kind, address);
      }
    });
  }

  it('is that of the IPv4 address which an IPv6 address stands for', () => {
    assert.equal(addressKind('2002:7f00:1::').name, 'loopback');
    assert.equal(addressKind('64:ff9b::a9fe:a9fe').name, 'link-local');
    assert.equal(addressKind('::169.254.169.254').name, 'link-local');
  });
});
