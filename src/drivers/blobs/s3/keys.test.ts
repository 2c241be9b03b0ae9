import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { digestOf } from '../../../core/values/digest.ts';
import { bytesKey, dataAt, dataKey, locationOf, sealedAt, stagedKey } from './keys.ts';
import { copyRanges, partBytesMin, partBytesOf } from './part-sizes.ts';

const MIB = 1024 * 1024;
const uploadId = randomUUID();
const digest = digestOf(Buffer.from('content'));

describe('keys', () => {
  it('say what a location says', () => {
    for (const name of [undefined, '0123abcd']) {
      const sealed = { uploadId, digest, bytes: 7, name };
      assert.deepEqual(sealedAt(locationOf(sealed)), sealed);
    }
    const named = locationOf({ uploadId, digest, bytes: 7, name: '0123abcd' });
    assert.equal(bytesKey(named), dataKey(uploadId, '0123abcd'));
    assert.deepEqual(dataAt(bytesKey(named)), { uploadId, name: '0123abcd' });
  });

  it('are made of nothing that a caller may choose freely', () => {
    for (const text of ['', '../x', `${uploadId}/..`, 'sha256/ab/abcd.x']) {
      assert.throws(() => stagedKey(text), TypeError);
      assert.throws(() => bytesKey(text), TypeError);
    }
    const location = locationOf({ uploadId, digest, bytes: 7, name: undefined });
    for (const text of [`${location}/`, `/${location}`, `${location}.g`, location.replace('.7', '.-7')]) {
      assert.equal(sealedAt(text), undefined, text);
    }
  });
});

describe('parts', () => {
  it('hold the largest layer, however small the appends are', () => {
    let bytes = 0;
    for (let partNumber = 1; partNumber <= 10_000; partNumber++) {
      assert.ok(partBytesOf(partNumber) >= partBytesMin(partNumber));
      bytes += partBytesMin(partNumber);
    }
    assert.ok(bytes >= 52_000 * MIB, String(bytes / MIB));
  });

  it('that are copied are all large enough, and not too large', () => {
    for (const bytes of [5 * MIB, 1024 * MIB, 1024 * MIB + 1, 1029 * MIB, 1030 * MIB, 52_000 * MIB]) {
      const ranges = copyRanges(bytes);
      assert.equal(ranges[0]?.first, 0);
      assert.equal(ranges.at(-1)?.last, bytes - 1);
      for (const [index, { first, last }] of ranges.entries()) {
        assert.ok(last - first + 1 >= 5 * MIB && last - first < 5 * 1024 * MIB);
        if (index > 0) assert.equal(first, ranges[index - 1]!.last + 1);
      }
    }
  });
});
