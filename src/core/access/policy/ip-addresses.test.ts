import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAddress, parseAddressRange, rangeHolds } from './ip-addresses.ts';

const rows: readonly [range: string, address: string, holds: boolean][] = [
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '10.0.0.1', false],
  ['192.0.2.1', '192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
  ['192.0.2.128/25', '192.0.2.127', false],
  ['192.0.2.128/25', '192.0.2.128', true],
  ['192.0.2.7/31', '192.0.2.6', true],
  ['192.0.2.7/32', '192.0.2.6', false],
  ['128.0.0.0/1', '255.0.0.1', true],
  ['128.0.0.0/1', '127.0.0.1', false],
  ['2001:DB8::/32', '2001:db8:ffff::5', true],
  ['2001:db8::/33', '2001:db8:8000::', false],
  ['2001:db8::/127', '2001:db8::1', true],
  ['2001:db8::/128', '2001:db8:0:0:0:0:0:1', false],
  ['::1', '0:0:0:0:0:0:0:1', true],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['10.0.0.0/8', '::FFFF:0a01:0203', true],
  ['::ffff:10.0.0.0/104', '10.1.2.3', true],
  ['::ffff:10.0.0.0/104', '11.1.2.3', false],
  ['64:ff9b::192.0.2.0/120', '64:ff9b::c000:2ff', true],
];

describe('address ranges', () => {
  for (const [range, address, holds] of rows) {
    it(`${range} ${holds ? 'holds' : 'does not hold'} ${address}`, () => {
      const [parsedRange, parsed] = [parseAddressRange(range), parseAddress(address)];
      assert.ok(parsedRange && parsed);
      assert.equal(rangeHolds(parsedRange, parsed), holds);
    });
  }

  const broken =
    '|10|10.0.0|10.0.0.0.0|256.0.0.1|01.0.0.1|1..2.3|1.2.3.4/33|1.2.3.4/|1.2.3.4/8/8|a.b.c.d|1.2.3.-4|999999999999.1.1.1'.split(
      '|',
    );
  const brokenSixteen = [
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8:9',
    '12345::',
    'g::',
    '::/129',
    '::1.2.3',
    '1.2.3.4::',
  ];
  for (const text of [...broken, ...brokenSixteen])
    it(`${text || 'nothing'} is none`, () => assert.equal(parseAddressRange(text), undefined));
});
