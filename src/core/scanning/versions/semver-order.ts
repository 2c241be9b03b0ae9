import { compareDigits, compareText } from './digit-runs.ts';
import type { VersionOrder } from './version-order.ts';

/**
 * Semantic Versioning 2.0 (section 11), as npm and Go have it. Numbers left out at the end count as 0 and a `v` in front is
 * skipped: records of Go's standard library say `1.21`, modules `v1.2.3`.
 */
export const semverOrder: VersionOrder = {
  isVersion: (text) => VERSION.test(text),
  compare(one, other) {
    const left = split(one);
    const right = split(other);
    for (const place of [0, 1, 2]) {
      const difference = compareDigits(left.numbers[place] ?? '', right.numbers[place] ?? '');
      if (difference !== 0) return difference;
    }
    return comparePrereleases(left.prerelease, right.prerelease);
  },
};

const VERSION = /^[v=\s]*(\d+(?:\.\d+){0,2})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?\s*$/;

function split(version: string): { numbers: readonly string[]; prerelease: readonly string[] } {
  const [, numbers = '', prerelease] = VERSION.exec(version) ?? [];
  return { numbers: numbers.split('.'), prerelease: prerelease?.split('.') ?? [] };
}

/** None is newer than any. */
function comparePrereleases(one: readonly string[], other: readonly string[]): number {
  if (one.length === 0 || other.length === 0) return other.length - one.length;
  for (let at = 0; at < Math.max(one.length, other.length); at += 1) {
    const difference = compareIdentifiers(one[at], other[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareIdentifiers(one: string | undefined, other: string | undefined): number {
  if (one === undefined || other === undefined) return one === other ? 0 : one === undefined ? -1 : 1;
  const isOneNumber = /^\d+$/.test(one);
  const isOtherNumber = /^\d+$/.test(other);
  if (isOneNumber !== isOtherNumber) return isOneNumber ? -1 : 1;
  return isOneNumber ? compareDigits(one, other) : compareText(one, other);
}
