import { weigh } from './cvss-metrics.ts';

/** CVSS version 2, section 3.2.1. @returns undefined when a metric is missing */
export function cvss2BaseScore(metrics: ReadonlyMap<string, string>): number | undefined {
  const weighed = weigh(metrics, WEIGHTS);
  if (weighed === undefined) return undefined;
  const { AV, AC, Au, C, I, A } = weighed;
  const impact = 10.41 * (1 - (1 - C) * (1 - I) * (1 - A));
  const exploitability = 20 * AV * AC * Au;
  const score = (0.6 * impact + 0.4 * exploitability - 1.5) * (impact === 0 ? 0 : 1.176);
  return Math.round(score * 10) / 10;
}

const IMPACT = { N: 0, P: 0.275, C: 0.66 };

const WEIGHTS = {
  AV: { L: 0.395, A: 0.646, N: 1 },
  AC: { H: 0.35, M: 0.61, L: 0.71 },
  Au: { M: 0.45, S: 0.56, N: 0.704 },
  C: IMPACT,
  I: IMPACT,
  A: IMPACT,
};
