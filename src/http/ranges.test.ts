import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRange } from './ranges.ts';

describe('a Range header', () => {
  const cases: readonly [header: string | undefined, bytes: number, expected: ReturnType<typeof parseRange>][] = [
    [undefined, 10, undefined],
    ['bytes=0-0', 10, { first: 0, last: 0 }],
    ['bytes=2-5', 10, { first: 2, last: 5 }],
    ['Bytes=2-5', 10, { first: 2, last: 5 }],
    ['bytes= 2-5 ', 10, { first: 2, last: 5 }],
    ['bytes=2-', 10, { first: 2, last: 9 }],
    ['bytes=2-99', 10, { first: 2, last: 9 }],
    ['bytes=9-', 10, { first: 9, last: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=10-12', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-3', 10, { first: 7, last: 9 }],
    ['bytes=-30', 10, { first: 0, last: 9 }],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=-3', 0, undefined],
    [`bytes=${'9'.repeat(400)}-`, 10, 'unsatisfiable'],
    [`bytes=0-${'9'.repeat(400)}`, 10, { first: 0, last: 9 }],
    ['bytes=5-2', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=0-1,4-5', 10, undefined],
    ['bytes=a-b', 10, undefined],
    ['bytes=0x1-5', 10, undefined],
    ['bytes=-1-5', 10, undefined],
    ['chunks=0-1', 10, undefined],
    ['', 10, undefined],
  ];
  for (const [header, bytes, expected] of cases) {
    it(`reads ${JSON.stringify(header)?.slice(0, 40)} of ${bytes} bytes`, () => {
      assert.deepEqual(parseRange(header, bytes), expected);
    });
  }
});
