import { compareDigits, compareText } from './digit-runs.ts';
import type { VersionOrder } from './version-order.ts';

/** rpm's (rpm-version(7)): `[epoch:]version[-release]`. A release counts only where both have one. */
export const rpmOrder: VersionOrder = {
  isVersion: (text) => text.trim() !== '',
  compare(one, other) {
    const left = split(one);
    const right = split(other);
    const difference = compareDigits(left.epoch, right.epoch) || comparePart(left.version, right.version);
    if (difference !== 0 || left.release === undefined || right.release === undefined) return difference;
    return comparePart(left.release, right.release);
  },
};

function split(text: string): { epoch: string; version: string; release: string | undefined } {
  const epoch = /^\d*(?=:)/.exec(text)?.[0];
  const rest = epoch === undefined ? text : text.slice(epoch.length + 1);
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: epoch ?? '',
    version: hyphen < 0 ? rest : rest.slice(0, hyphen),
    release: hyphen < 0 ? undefined : rest.slice(hyphen + 1),
  };
}

/**
 * Segments of digits or of letters, one by one; other characters only part them. `~` sorts before the end of a version and
 * before everything else, `^` after the end and before everything else.
 */
function comparePart(one: string, other: string): number {
  if (one === other) return 0;
  const left = one.match(SEGMENTS) ?? [];
  const right = other.match(SEGMENTS) ?? [];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = compareSegments(left[at], right[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

const SEGMENTS = /[0-9]+|[A-Za-z]+|~|\^/g;

function compareSegments(one: string | undefined, other: string | undefined): number {
  if (one === other) return 0;
  const difference = rank(one) - rank(other);
  if (difference !== 0) return difference;
  return rank(one) === DIGITS ? compareDigits(one!, other!) : compareText(one!, other!);
}

const DIGITS = 4;

/** Digits are newer than letters, whatever they are. */
function rank(segment: string | undefined): number {
  if (segment === '~') return 0;
  if (segment === undefined) return 1;
  if (segment === '^') return 2;
  return /^[0-9]/.test(segment) ? DIGITS : 3;
}
