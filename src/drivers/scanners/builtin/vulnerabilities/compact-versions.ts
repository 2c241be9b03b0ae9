import { versionJudge } from '../../../../core/scanning/affected-versions.ts';
import { orderOf } from '../../../../core/scanning/ecosystems.ts';
import type { OsvAffected } from '../../../../core/scanning/osv-record.ts';

/**
 * The listed versions that the ranges do not say already. Most records list by the hundred what a range says in a line, and
 * every match would read them.
 */
export function compactVersions({ ecosystem, ranges, versions }: OsvAffected): readonly string[] {
  const order = orderOf(ecosystem);
  if (order === undefined || ranges.length === 0) return versions;
  const judge = versionJudge({ ranges, versions: [] }, order);
  return versions.filter((version) => !judge(version).isAffected);
}
