import type { OsvEvent } from './osv-record.ts';
import type { VersionOrder } from './versions/version-order.ts';

/** Which versions a record says are affected. */
export interface AffectedVersions {
  readonly ranges: readonly { readonly events: readonly OsvEvent[] }[];
  readonly versions: readonly string[];
}

/** `fixedVersion`: the first that is newer and no longer affected, of the range that the version is in. */
export type Judgement = { readonly isAffected: false } | { readonly isAffected: true; readonly fixedVersion?: string };

/** Whether a version is affected (OSV schema, "Evaluation"): one that is listed is, and one in a range is. */
export function judgeVersion(affected: AffectedVersions, version: string, order: VersionOrder): Judgement {
  return versionJudge(affected, order)(version);
}

/** As `judgeVersion`, for many versions: what is affected is put in order once. */
export function versionJudge(
  { ranges, versions }: AffectedVersions,
  order: VersionOrder,
): (version: string) => Judgement {
  const sorted = ranges.map(({ events }) => sortEvents(events, order));
  const listed = new Set(versions);
  return (version) => {
    let isAffected = listed.has(version);
    for (const events of order.isVersion(version) ? sorted : []) {
      if (!isInRange(events, version, order)) continue;
      const fixedVersion = nextFix(events, version, order);
      if (fixedVersion !== undefined) return { isAffected: true, fixedVersion };
      isAffected = true;
    }
    return { isAffected };
  };
}

/** A record with something else than versions in a range has nothing to say of it. */
function sortEvents(events: readonly OsvEvent[], order: VersionOrder): readonly OsvEvent[] {
  if (!events.every(({ kind, version }) => isBound(kind, version) || order.isVersion(version))) return [];
  return [...events].sort((one, other) => compareEvents(one, other, order));
}

/** What is introduced at 0 is so before all versions, 0 itself included; else what is fixed at a version is so first. */
function compareEvents(one: OsvEvent, other: OsvEvent, order: VersionOrder): number {
  const isOneFirst = isFirst(one);
  if (isOneFirst !== isFirst(other)) return isOneFirst ? -1 : 1;
  return compareBounds(one.version, other.version, order) || rank(one) - rank(other);
}

function isFirst({ kind, version }: OsvEvent): boolean {
  return kind === 'introduced' && version === FIRST;
}

function isBound(kind: OsvEvent['kind'], version: string): boolean {
  return version === FIRST || (kind === 'limit' && version === '*');
}

/** Before all versions; in Debian's order some are older than 0. */
const FIRST = '0';

function isInRange(events: readonly OsvEvent[], version: string, order: VersionOrder): boolean {
  const limits = events.filter(({ kind }) => kind === 'limit');
  const isBeforeLimits = limits.some(
    (limit) => limit.version === '*' || compareBounds(version, limit.version, order) < 0,
  );
  if (limits.length > 0 && !isBeforeLimits) return false;
  let isIn = false;
  for (const event of events) {
    const difference =
      event.kind === 'introduced' && event.version === FIRST ? 1 : order.compare(version, event.version);
    if (event.kind === 'introduced' && difference >= 0) isIn = true;
    if (event.kind === 'fixed' && difference >= 0) isIn = false;
    if (event.kind === 'last_affected' && difference > 0) isIn = false;
  }
  return isIn;
}

function nextFix(events: readonly OsvEvent[], version: string, order: VersionOrder): string | undefined {
  return events.find((event) => event.kind === 'fixed' && order.compare(event.version, version) > 0)?.version;
}

function compareBounds(one: string, other: string, order: VersionOrder): number {
  if (one === other) return 0;
  if (one === FIRST || other === '*') return -1;
  if (other === FIRST || one === '*') return 1;
  return order.compare(one, other);
}

function rank({ kind }: OsvEvent): number {
  return ['last_affected', 'fixed', 'introduced', 'limit'].indexOf(kind);
}
