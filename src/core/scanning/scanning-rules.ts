import { refuse } from '../errors.ts';
import { matchesWildcard } from '../repositories/tag-mutability.ts';
import type { RegistryScanning, ScanFrequency } from './scan-records.ts';

/** When the images of a repository are scanned, and the filter that says so, if one does. */
export interface RepositoryFrequency {
  readonly frequency: ScanFrequency;
  /** Of several that match the last, as ECR reports it. */
  readonly filter?: string;
}

/**
 * Continuous scanning wins where both match. What no rule matches is scanned by hand with BASIC, and with ENHANCED not at all
 * (ECR user guide, "Scan images"). A repository's own setting, which is deprecated, counts with BASIC alone.
 */
export function frequencyOf(
  { scanType, rules }: RegistryScanning,
  { name, scanOnPush }: { readonly name: string; readonly scanOnPush: boolean },
): RepositoryFrequency {
  const matching = rules.flatMap(({ frequency, filters }) =>
    filters.filter((filter) => matchesFilter(filter, name)).map((filter) => ({ frequency, filter })),
  );
  for (const wanted of ['CONTINUOUS_SCAN', 'SCAN_ON_PUSH'] as const) {
    const found = matching.findLast(({ frequency }) => frequency === wanted);
    if (found) return found;
  }
  return { frequency: scanType === 'BASIC' && scanOnPush ? 'SCAN_ON_PUSH' : 'MANUAL' };
}

/** "A filter with no wildcard will match all repository names that contain the filter"; one with a wildcard, whole names. */
export function matchesFilter(filter: string, repositoryName: string): boolean {
  return filter.includes('*') ? matchesWildcard(filter, repositoryName) : repositoryName.includes(filter);
}

/** Refuses with invalid-parameter a rule that says what its type of scanning cannot do. */
export function checkScanning({ scanType, rules }: RegistryScanning): void {
  const allowed: readonly ScanFrequency[] =
    scanType === 'BASIC' ? ['SCAN_ON_PUSH', 'MANUAL'] : ['SCAN_ON_PUSH', 'CONTINUOUS_SCAN'];
  for (const [index, { frequency }] of rules.entries()) {
    if (allowed.includes(frequency)) continue;
    const parameter = `rules.${index + 1}.member.scanFrequency`;
    const constraint = `must be one of [${allowed.join(', ')}] when scanType is ${scanType}`;
    refuse({ kind: 'invalid-parameter', parameter, constraint });
  }
}
