import { refuse } from '../errors.ts';

/** ECR's structural quotas (service quotas, user guide), as far as they are enforced here. */
export const QUOTA_DEFAULTS = {
  'repositories-per-registry': 100_000,
  'images-per-repository': 100_000,
  'tags-per-image': 1000,
  'repository-tags': 50,
  'layer-parts': 4200,
  'layer-bytes': 52_000 * 1024 * 1024,
  'lifecycle-rules': 50,
  'pull-time-exclusions': 100,
  'pull-through-cache-rules': 50,
  'replication-destinations': 25,
  'scans-per-day': 100_000,
  // A bound of our own: ECR publishes none, and every creation looks among them.
  'creation-templates': 200,
} as const;

export type QuotaName = keyof typeof QUOTA_DEFAULTS;

/** How much there may be of what a quota bounds. */
export type QuotaLimits = Readonly<Record<QuotaName, number>>;

export function isQuotaName(text: string): text is QuotaName {
  return Object.hasOwn(QUOTA_DEFAULTS, text);
}

/** @param whatHasSo begins the sentence, for example `The image with digest 'D' can have`; `things` ends it */
export function refuseOverQuota(limits: QuotaLimits, name: QuotaName, whatHasSo: string, things: string): never {
  return refuse({ kind: 'limit-exceeded', reason: describeQuota(limits, name, whatHasSo, things) });
}

/** Names the quota, its limit and how to raise it: ECR says neither. */
export function describeQuota(limits: QuotaLimits, name: QuotaName, whatHasSo: string, things: string): string {
  return `${whatHasSo} at most ${limits[name]} ${things} (quota ${name}; an operator raises it with --quota ${name}=NUMBER)`;
}
