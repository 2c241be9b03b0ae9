import type { Finding } from './finding.ts';
import type { SeverityCounts } from './scan-records.ts';
import { severities } from './severity/severity.ts';

/** The gravest first; beyond that the same every time, so that a list can go on where it ended although it was made anew. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return findings
    .map((finding) => ({ finding, position: positionOf(finding) }))
    .sort((one, other) => comparePositions(one.position, other.position))
    .map(({ finding }) => finding);
}

/** The findings after a position, at most so many, and the position to go on from when there are more. */
export function pageOfFindings(
  findings: readonly Finding[],
  after: readonly string[] | undefined,
  limit: number,
): { findings: readonly Finding[]; next?: readonly string[] } {
  const rest =
    after === undefined ? findings : findings.filter((finding) => comparePositions(positionOf(finding), after) > 0);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return { findings: page, ...(last && rest.length > page.length && { next: positionOf(last) }) };
}

export function countSeverities(findings: readonly Finding[]): SeverityCounts {
  const groups = Map.groupBy(findings, ({ severity }) => severity);
  const present = severities.filter((severity) => groups.has(severity));
  return Object.fromEntries(present.map((severity) => [severity, groups.get(severity)!.length]));
}

/** How many texts say where a finding stands. */
export const POSITION_LENGTH = 5;

/** A package may be there twice, at two paths, each with its findings. */
function positionOf({ severity, name, package: of }: Finding): string[] {
  return [String(severities.indexOf(severity)), name, of.name, of.version, of.path];
}

function comparePositions(one: readonly string[], other: readonly string[]): number {
  for (let place = 0; place < one.length; place++) {
    const text = one[place]!;
    const beside = other[place] ?? '';
    if (text !== beside) return text < beside ? -1 : 1;
  }
  return 0;
}
