import { compareDigits, compareText } from './digit-runs.ts';
import type { VersionOrder } from './version-order.ts';

/** Python's (the version specifiers of packaging.python.org, which were PEP 440), in any spelling it allows. */
export const pythonOrder: VersionOrder = {
  isVersion: (text) => VERSION.test(text.trim()),
  compare(one, other) {
    const left = parse(one);
    const right = parse(other);
    return (
      compareDigits(left.epoch, right.epoch) ||
      compareReleases(left.release, right.release) ||
      left.phase - right.phase ||
      compareDigits(left.phaseNumber, right.phaseNumber) ||
      compareOptional(left.post, right.post, -1) ||
      compareOptional(left.dev, right.dev, 1) ||
      compareLocals(left.local, right.local)
    );
  },
};

const VERSION = new RegExp(
  [
    /^v?(?:(?<epoch>\d+)!)?(?<release>\d+(?:\.\d+)*)/,
    /(?:[-_.]?(?<phase>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?<phaseNumber>\d*))?/,
    /(?<post>-(?<postOnly>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?<postNumber>\d*))?/,
    /(?<dev>[-_.]?dev[-_.]?(?<devNumber>\d*))?/,
    /(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/,
  ]
    .map(({ source }) => source)
    .join(''),
  'i',
);

interface PythonVersion {
  readonly epoch: string;
  readonly release: readonly string[];
  readonly phase: number;
  readonly phaseNumber: string;
  readonly post: string | undefined;
  readonly dev: string | undefined;
  readonly local: readonly string[] | undefined;
}

/** A version that is nothing but a development release comes before the first alpha. */
const DEVELOPMENT = 0;
const FINAL = 4;
const PHASES: Readonly<Record<string, number>> = { a: 1, alpha: 1, b: 2, beta: 2, c: 3, rc: 3, pre: 3, preview: 3 };

function parse(version: string): PythonVersion {
  const parts = VERSION.exec(version.trim())?.groups ?? {};
  const post = parts.post === undefined ? undefined : (parts.postOnly ?? parts.postNumber ?? '');
  const dev = parts.dev === undefined ? undefined : (parts.devNumber ?? '');
  const without = post === undefined && dev !== undefined ? DEVELOPMENT : FINAL;
  return {
    epoch: parts.epoch ?? '',
    release: (parts.release ?? '').split('.'),
    phase: parts.phase === undefined ? without : PHASES[parts.phase.toLowerCase()]!,
    phaseNumber: parts.phaseNumber ?? '',
    post,
    dev,
    local: parts.local?.toLowerCase().split(/[-_.]/),
  };
}

/** 1.0 and 1.0.0 are the same. */
function compareReleases(one: readonly string[], other: readonly string[]): number {
  for (let at = 0; at < Math.max(one.length, other.length); at += 1) {
    const difference = compareDigits(one[at] ?? '', other[at] ?? '');
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @param absent where a version without this part stands: before those with it, or behind them */
function compareOptional(one: string | undefined, other: string | undefined, absent: -1 | 1): number {
  if (one !== undefined && other !== undefined) return compareDigits(one, other);
  if (one === other) return 0;
  return one === undefined ? absent : -absent;
}

/** Numbers are newer than words, and what goes on is newer than what ends. */
function compareLocals(one: readonly string[] | undefined, other: readonly string[] | undefined): number {
  const left = one ?? [];
  const right = other ?? [];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [a, b] = [left[at]!, right[at]!];
    const isNumber = /^\d+$/.test(a);
    if (isNumber !== /^\d+$/.test(b)) return isNumber ? 1 : -1;
    const difference = isNumber ? compareDigits(a, b) : compareText(a, b);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
