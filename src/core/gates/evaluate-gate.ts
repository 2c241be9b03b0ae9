import { secondsAfter } from '../dependencies.ts';
import type { Finding } from '../scanning/finding.ts';
import { describeScan } from '../scanning/scan-description.ts';
import type { SeveritiesSince, SeverityCounts } from '../scanning/scan-records.ts';
import { type Severity, severities } from '../scanning/severity/severity.ts';
import type { Digest } from '../values/digest.ts';
import type { GateDecision } from './gate-decision.ts';
import type { Gate, GatedImage, GateException } from './gate-records.ts';

/** As far as a gate looks at it. */
export type WeighedFinding = Pick<Finding, 'name' | 'aliases' | 'recordId' | 'severity'>;

/** All that decides. */
export interface Weighed {
  readonly digest: Digest;
  /** Whether it holds files to run, so that scans say something of it. An index and an artifact do not. */
  readonly isRunnable: boolean;
  /** Undefined while it is on its way here. */
  readonly image?: GatedImage | undefined;
  /** Those of the last scan that completed, at or above the gate's severity. */
  readonly findings: readonly WeighedFinding[];
  readonly severitiesSince: SeveritiesSince;
  /** Why the signature that is asked for is not there; undefined when it is, or none is asked for. */
  readonly unsignedBecause?: string | undefined;
}

/** What a gate asks that an image lacks. */
interface Breach {
  readonly reason: string;
  /** From when on the time of grace counts. */
  readonly since: Date;
}

/** What a gate makes of an image at a time. */
export function evaluateGate(
  gate: Gate,
  exceptions: readonly GateException[],
  weighed: Weighed,
  at: Date,
): GateDecision {
  const valid = exceptions.filter(
    ({ until, digest }) => until > at && (digest === undefined || digest === weighed.digest),
  );
  const { breaches, excused } = breachesOf(gate, valid, weighed, at);
  if (breaches.length === 0) return { outcome: excused.length > 0 ? 'excepted' : 'passed', reasons: excused };
  const reasons = breaches.map(({ reason }) => reason);
  const whole = valid.find(({ cve }) => cve === undefined);
  if (whole) return { outcome: 'excepted', reasons: [...reasons, wordsOf(whole)] };
  const ends = breaches.map(({ since }) => secondsAfter(since, gate.graceSeconds).getTime());
  const until = new Date(Math.min(...ends));
  if (until <= at) return { outcome: 'refused', reasons };
  return { outcome: 'in-grace', until, reasons: [...reasons, `it may be pulled until ${until.toISOString()}`] };
}

/** How many findings a gate of this severity looks at. */
export function countFrom(severity: Severity, counts: SeverityCounts): number {
  return from(severity).reduce((sum, one) => sum + (counts[one] ?? 0), 0);
}

export function isFrom(severity: Severity, found: Severity): boolean {
  return from(severity).includes(found);
}

/** What a gate asks, in words: `no findings of HIGH or above, scanned; grace 72h`. */
export function describeGate({ severity, requiresScan, signedBy, graceSeconds, isDryRun }: Gate): string {
  const asked = [
    ...(severity === undefined ? [] : [`no findings of ${severity} or above`]),
    ...(requiresScan ? ['scanned'] : []),
    ...(signedBy === undefined ? [] : [`signed by ${signedBy}`]),
  ];
  const grace = graceSeconds > 0 ? [`grace of ${graceSeconds} seconds`] : [];
  return [asked.join(', '), ...grace, ...(isDryRun ? ['dry run'] : [])].join('; ');
}

function breachesOf(gate: Gate, exceptions: readonly GateException[], weighed: Weighed, at: Date) {
  const { image, isRunnable, unsignedBecause } = weighed;
  const pushedAt = arrivalOf(image, at);
  const { remaining, excused } = withoutExcepted(weighed.findings, exceptions);
  const breaches: Breach[] = [];
  if (gate.severity !== undefined && isRunnable && remaining.length > 0) {
    const since = new Date(Math.max(pushedAt.getTime(), firstSeen(remaining, weighed).getTime()));
    breaches.push({ reason: describeFindings(gate.severity, remaining), since });
  }
  if (gate.requiresScan && isRunnable && !image?.scan?.result) {
    breaches.push({ reason: describeUnscanned(image), since: pushedAt });
  }
  if (gate.signedBy !== undefined && unsignedBecause !== undefined) {
    breaches.push({ reason: `it is not signed by ${gate.signedBy}: ${unsignedBecause}`, since: pushedAt });
  }
  return { breaches, excused };
}

/** One that was restored from the archive is as good as pushed then; one that is on its way, as good as pushed now. */
function arrivalOf(image: GatedImage | undefined, at: Date): Date {
  if (!image) return at;
  return new Date(Math.max(image.pushedAt.getTime(), image.activatedAt?.getTime() ?? 0));
}

function withoutExcepted(findings: readonly WeighedFinding[], exceptions: readonly GateException[]) {
  const used = new Map<string, GateException>();
  const remaining = findings.filter(({ name, recordId, aliases }) => {
    const names = [name, recordId, ...aliases];
    const exception = exceptions.find(({ cve }) => cve !== undefined && names.includes(cve));
    if (exception) used.set(exception.cve ?? '', exception);
    return !exception;
  });
  return { remaining, excused: [...used.values()].map(wordsOf) };
}

/** The time of the severity that was seen first among those that are left. */
function firstSeen(remaining: readonly WeighedFinding[], { severitiesSince, image }: Weighed): Date {
  const completedAt = image?.scan?.result?.completedAt ?? new Date(0);
  const times = remaining.map(({ severity }) => (severitiesSince[severity] ?? completedAt).getTime());
  return new Date(times.reduce((first, time) => Math.min(first, time)));
}

const NAMES_TOLD = 5;

function describeFindings(severity: Severity, remaining: readonly WeighedFinding[]): string {
  const names = [...new Set(remaining.map(({ name }) => name))];
  const told = names.slice(0, NAMES_TOLD).join(', ');
  const more = names.length > NAMES_TOLD ? ` and ${names.length - NAMES_TOLD} more` : '';
  return `it has findings of ${severity} or above: ${told}${more}`;
}

function describeUnscanned(image: GatedImage | undefined): string {
  const scan = image?.scan;
  if (!scan) return 'it was never scanned';
  return `it was never scanned (${scan.status}: ${describeScan(scan).replace(/\.$/, '')})`;
}

function wordsOf({ cve, digest, until, author, reason }: GateException): string {
  const what = cve === undefined ? 'the image' : `${cve}${digest === undefined ? '' : ' in this image'}`;
  return `${what} is excepted until ${until.toISOString()} by ${author}: ${reason}`;
}

function from(severity: Severity): readonly Severity[] {
  return severities.slice(0, severities.indexOf(severity) + 1);
}
