import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeVersion } from './affected-versions.ts';
import type { OsvEvent } from './osv-record.ts';
import { dpkgOrder } from './versions/dpkg-order.ts';
import { semverOrder } from './versions/semver-order.ts';
import type { VersionOrder } from './versions/version-order.ts';

/** `introduced 0, fixed 1.0`. */
function range(text: string): { events: OsvEvent[] } {
  return {
    events: text.split(', ').map((event) => {
      const [kind, version] = event.split(' ');
      return { kind: kind as OsvEvent['kind'], version: version! };
    }),
  };
}

/** Of the versions those that are affected, with the one that mends them. */
function affectedOf(
  ranges: readonly string[],
  versions: string,
  order: VersionOrder = semverOrder,
  listed: string[] = [],
): string[] {
  return versions.split(' ').flatMap((version) => {
    const judgement = judgeVersion({ ranges: ranges.map(range), versions: listed }, version, order);
    return judgement.isAffected ? [`${version}>${judgement.fixedVersion ?? ''}`] : [];
  });
}

describe('a version', () => {
  it('is affected from where a weakness was introduced to where it was fixed', () => {
    assert.deepEqual(affectedOf(['introduced 0, fixed 1.2.0'], '0.0.1 1.1.9 1.2.0-rc.1 1.2.0 2.0.0'), [
      '0.0.1>1.2.0',
      '1.1.9>1.2.0',
      '1.2.0-rc.1>1.2.0',
    ]);
    assert.deepEqual(affectedOf(['introduced 1.0.0, fixed 1.0.5'], '0.9.9 1.0.0 1.0.4 1.0.5'), [
      '1.0.0>1.0.5',
      '1.0.4>1.0.5',
    ]);
  });

  it('is affected up to the last that is, or for ever', () => {
    assert.deepEqual(affectedOf(['introduced 1.0.0, last_affected 1.5.0'], '0.9.0 1.0.0 1.5.0 1.5.1'), [
      '1.0.0>',
      '1.5.0>',
    ]);
    assert.deepEqual(affectedOf(['introduced 1.0.0'], '0.9.0 1.0.0 99.0.0'), ['1.0.0>', '99.0.0>']);
  });

  it('is affected in each branch until that is fixed, in whatever order it is written', () => {
    const mixed = 'fixed 2.3.4, introduced 1.0.0, fixed 1.8.2, introduced 2.0.0';
    assert.deepEqual(affectedOf([mixed], '0.9.0 1.8.1 1.8.2 1.9.0 2.0.0 2.3.3 2.3.4'), [
      '1.8.1>1.8.2',
      '2.0.0>2.3.4',
      '2.3.3>2.3.4',
    ]);
    const two = ['introduced 1.0.0, fixed 1.8.2', 'introduced 2.0.0'];
    assert.deepEqual(affectedOf(two, '1.8.1 1.8.2 2.5.0'), ['1.8.1>1.8.2', '2.5.0>']);
  });

  it('is not affected beyond a limit', () => {
    assert.deepEqual(affectedOf(['introduced 1.0.0, limit 2.0.0'], '1.0.0 1.9.9 2.0.0 3.0.0'), ['1.0.0>', '1.9.9>']);
    assert.deepEqual(affectedOf(['introduced 1.0.0, limit *'], '1.0.0 3.0.0'), ['1.0.0>', '3.0.0>']);
  });

  it('is affected when it is listed, in a range or not', () => {
    assert.deepEqual(affectedOf([], '1.0.0 1.0.1', semverOrder, ['1.0.1']), ['1.0.1>']);
    assert.deepEqual(affectedOf(['introduced 5.0.0'], 'odd_one 1.0.1', semverOrder, ['odd_one']), ['odd_one>']);
  });

  it('is in no range when it or the range has no versions of this order', () => {
    assert.deepEqual(affectedOf(['introduced 0'], 'latest'), []);
    assert.deepEqual(affectedOf(['introduced 0, fixed abcdef'], '1.0.0'), []);
  });

  it('is affected from the very first on, though some are older than 0', () => {
    assert.deepEqual(affectedOf(['introduced 0, fixed 1.0-1'], '0~rc1 0 1.0-1~bpo1 1.0-1', dpkgOrder), [
      '0~rc1>1.0-1',
      '0>1.0-1',
      '1.0-1~bpo1>1.0-1',
    ]);
    assert.deepEqual(affectedOf(['introduced 0, fixed 0'], '0 1.0', dpkgOrder), [], 'it was never in this release');
  });
});
