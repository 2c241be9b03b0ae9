/** ECR's words (ECR API model, `FindingSeverity`), the gravest first. */
export const severities = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL', 'UNDEFINED'] as const;
export type Severity = (typeof severities)[number];

/** The qualitative rating of a CVSS score (CVSS 3.1, section 5; of NVD for version 2, which has no critical one). */
export function severityOfScore(score: number, cvssVersion: string): Severity {
  if (score <= 0) return 'INFORMATIONAL';
  if (score < 4) return 'LOW';
  if (score < 7) return 'MEDIUM';
  return score < 9 || cvssVersion === '2.0' ? 'HIGH' : 'CRITICAL';
}

/** What distributions and advisories call it. */
export function severityOfWord(word: string): Severity {
  return WORDS.get(word.trim().toLowerCase()) ?? 'UNDEFINED';
}

const WORDS: ReadonlyMap<string, Severity> = new Map<string, Severity>([
  ['critical', 'CRITICAL'],
  ['high', 'HIGH'],
  ['important', 'HIGH'],
  ['medium', 'MEDIUM'],
  ['moderate', 'MEDIUM'],
  ['low', 'LOW'],
  ['minor', 'LOW'],
  ['negligible', 'INFORMATIONAL'],
  ['unimportant', 'INFORMATIONAL'],
  ['none', 'INFORMATIONAL'],
]);
