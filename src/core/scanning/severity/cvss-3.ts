import { weigh } from './cvss-metrics.ts';

/** CVSS 3.0 and 3.1, section 7.1. @returns undefined when a metric is missing */
export function cvss3BaseScore(version: '3.0' | '3.1', metrics: ReadonlyMap<string, string>): number | undefined {
  const weighed = weigh(metrics, WEIGHTS);
  if (weighed === undefined) return undefined;
  const { AV, AC, UI, S, C, I, A } = weighed;
  const isChanged = S === CHANGED;
  const PR = (isChanged ? PRIVILEGES_CHANGED : PRIVILEGES)[metrics.get('PR')!]!;
  const base = 1 - (1 - C) * (1 - I) * (1 - A);
  const impact = isChanged ? 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 : 6.42 * base;
  if (impact <= 0) return 0;
  const exploitability = 8.22 * AV * AC * PR * UI;
  const score = Math.min((isChanged ? 1.08 : 1) * (impact + exploitability), 10);
  return version === '3.0' ? Math.ceil(score * 10) / 10 : roundUp(score);
}

const CHANGED = 1;
const PRIVILEGES: Readonly<Record<string, number>> = { N: 0.85, L: 0.62, H: 0.27 };
const PRIVILEGES_CHANGED: Readonly<Record<string, number>> = { N: 0.85, L: 0.68, H: 0.5 };
const IMPACT = { N: 0, L: 0.22, H: 0.56 };

const WEIGHTS = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  PR: PRIVILEGES,
  UI: { N: 0.85, R: 0.62 },
  S: { U: 0, C: CHANGED },
  C: IMPACT,
  I: IMPACT,
  A: IMPACT,
};

/** As 3.1 has it (appendix A), so that what a computer makes of fractions does not lift a score. */
function roundUp(score: number): number {
  const whole = Math.round(score * 100_000);
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10;
}
