import { compareDigits, endOfDigits, isDigit } from './digit-runs.ts';
import type { VersionOrder } from './version-order.ts';

/** Debian's and Ubuntu's (Debian Policy 5.6.12, deb-version(7)): `[epoch:]upstream-version[-debian-revision]`. */
export const dpkgOrder: VersionOrder = {
  isVersion: (text) => /^(?:\d+:)?[A-Za-z0-9.+~:_-]+$/.test(text),
  compare(one, other) {
    const left = split(one);
    const right = split(other);
    return (
      compareDigits(left.epoch, right.epoch) ||
      comparePart(left.upstream, right.upstream) ||
      comparePart(left.revision, right.revision)
    );
  },
};

/** The epoch ends at the first colon, the revision begins at the last hyphen; either may be absent and counts as 0. */
function split(version: string): { epoch: string; upstream: string; revision: string } {
  const text = version.trim();
  const colon = text.indexOf(':');
  const rest = text.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '' : text.slice(0, colon),
    upstream: hyphen < 0 ? rest : rest.slice(0, hyphen),
    revision: hyphen < 0 ? '' : rest.slice(hyphen + 1),
  };
}

/** Parts without and with digits take turns, from the left. */
function comparePart(one: string, other: string): number {
  let left = 0;
  let right = 0;
  while (left < one.length || right < other.length) {
    for (; isWord(one, left) || isWord(other, right); left += 1, right += 1) {
      const difference = weight(one, left) - weight(other, right);
      if (difference !== 0) return difference;
    }
    const leftEnd = endOfDigits(one, left);
    const rightEnd = endOfDigits(other, right);
    const difference = compareDigits(one.slice(left, leftEnd), other.slice(right, rightEnd));
    if (difference !== 0) return difference;
    left = leftEnd;
    right = rightEnd;
  }
  return 0;
}

function isWord(text: string, at: number): boolean {
  return at < text.length && !isDigit(text.charCodeAt(at));
}

/** A tilde sorts before everything, even the end of a part; letters sort before all other characters. */
function weight(text: string, at: number): number {
  if (!isWord(text, at)) return 0;
  const code = text.charCodeAt(at);
  if (code === 0x7e) return -1;
  return /[A-Za-z]/.test(text[at]!) ? code : code + 0x100;
}
