import type { CvssRating } from '../finding.ts';
import { cvss2BaseScore } from './cvss-2.ts';
import { cvss3BaseScore } from './cvss-3.ts';
import { metricsOf } from './cvss-metrics.ts';

/**
 * The base score of a CVSS vector of version 2.0, 3.0 or 3.1; what it says of time and place is left to whoever knows them.
 *
 * @returns undefined for a vector of another version, or one that is not whole
 */
export function rateVector(vector: string): CvssRating | undefined {
  const [, version = '2.0'] = /^CVSS:(\d\.\d)\//.exec(vector) ?? [];
  const metrics = metricsOf(vector);
  if (metrics === undefined) return undefined;
  const score = scoreOf(version, metrics);
  return score === undefined ? undefined : { version, vector, score };
}

function scoreOf(version: string, metrics: ReadonlyMap<string, string>): number | undefined {
  if (version === '2.0') return cvss2BaseScore(metrics);
  return version === '3.0' || version === '3.1' ? cvss3BaseScore(version, metrics) : undefined;
}
