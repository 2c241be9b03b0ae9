import cvss from 'ae-cvss-calculator';
import type { CvssRating } from '../../../../core/scanning/finding.ts';

/**
 * The base score of a CVSS vector of version 2.0, 3.0, 3.1 or 4.0; what it says of time and place is left to whoever knows
 * them. Takes up to half a millisecond.
 *
 * @returns undefined for a vector of another version, or one that is not whole
 */
export function rateVector(vector: string): CvssRating | undefined {
  const [, prefix = ''] = /^(CVSS:\d\.\d\/)/.exec(vector) ?? [];
  const metrics = vector.slice(prefix.length).replace(/^\((.*)\)$/, '$1');
  const score = isOnceEach(metrics) ? baseScore(prefix, metrics) : undefined;
  // The calculator gives what it cannot tell as undefined, or as no number.
  if (score === undefined || !Number.isFinite(score)) return undefined;
  return { version: prefix === '' ? '2.0' : prefix.slice('CVSS:'.length, -1), vector, score };
}

/** The calculator throws at values that it does not know. */
function baseScore(prefix: string, metrics: string): number | undefined {
  try {
    return BASE_SCORES[prefix]?.(prefix + metrics);
  } catch {
    return undefined;
  }
}

const BASE_SCORES: Readonly<Record<string, (vector: string) => number | undefined>> = {
  '': (vector) => new cvss.Cvss2(vector).calculateScores().base,
  'CVSS:3.0/': (vector) => new cvss.Cvss3P0(vector).calculateScores().base,
  'CVSS:3.1/': (vector) => new cvss.Cvss3P1(vector).calculateScores().base,
  'CVSS:4.0/': baseScore4,
};

/** Of a vector without all it must say, the calculator would give the score of one that says the least. */
function baseScore4(vector: string): number | undefined {
  const calculator = new cvss.Cvss4P0(vector);
  return calculator.isBaseFullyDefined() ? calculator.calculateScores().baseMetricsOnly : undefined;
}

/** The calculator takes the last of two. */
function isOnceEach(metrics: string): boolean {
  const names = metrics.split('/').map((metric) => /^([A-Za-z]+):[A-Za-z]+$/.exec(metric)?.[1]);
  return !names.includes(undefined) && new Set(names).size === names.length;
}
