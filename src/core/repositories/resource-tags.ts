import { refuse } from '../errors.ts';
import type { QuotaLimits } from '../quotas/quotas.ts';
import type { ResourceTag } from './repository-records.ts';

/** ECR user guide, "Tag restrictions". */
const KEY_LENGTH_MAX = 128;
const VALUE_LENGTH_MAX = 256;

/** Refuses tags with an empty, long, reserved or repeated key, or a long value. */
export function checkResourceTags(tags: readonly ResourceTag[]): void {
  const keys = new Set<string>();
  for (const { key, value } of tags) {
    const legal = key.length >= 1 && key.length <= KEY_LENGTH_MAX && value.length <= VALUE_LENGTH_MAX;
    const reserved = key.toLowerCase().startsWith('aws:');
    if (!legal || reserved || keys.has(key))
      refuse({ kind: 'invalid-resource-tag', reason: 'Tag parameters are invalid' });
    keys.add(key);
  }
}

/** Adds tags to those there are, replacing by key; refuses when there would be too many. */
export function mergeResourceTags(
  present: readonly ResourceTag[],
  added: readonly ResourceTag[],
  repositoryName: string,
  limits: QuotaLimits,
): ResourceTag[] {
  const tagsMax = limits['repository-tags'];
  const merged = new Map([...present, ...added].map((tag) => [tag.key, tag]));
  if (merged.size > tagsMax) refuse({ kind: 'too-many-resource-tags', repositoryName, tagsMax });
  const before = new Set(present.map(({ key }) => key));
  refuseLookalikes(
    [...merged.values()].filter(({ key }) => !before.has(key)),
    [...merged.keys()],
  );
  return [...merged.values()];
}

/**
 * ECR's keys are case-sensitive, condition keys are not (IAM user guide, "Controlling access to AWS resources using tags"): of `team`
 * and `Team` a policy would see but one, and whoever may set the one value could set the other unseen.
 */
function refuseLookalikes(added: readonly ResourceTag[], keys: readonly string[]): void {
  for (const { key } of added) {
    const other = keys.find((one) => one !== key && one.toLowerCase() === key.toLowerCase());
    if (other === undefined) continue;
    const reason = `Tag keys that differ in case alone cannot be told apart by policies: '${other}' and '${key}'`;
    refuse({ kind: 'invalid-resource-tag', reason });
  }
}
