import { refuse } from '../errors.ts';
import type { ResourceTag } from './repository-records.ts';

/** ECR user guide, "Tag restrictions". */
const TAGS_MAX = 50;
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
): ResourceTag[] {
  const merged = new Map([...present, ...added].map((tag) => [tag.key, tag]));
  if (merged.size > TAGS_MAX) refuse({ kind: 'too-many-resource-tags', repositoryName, tagsMax: TAGS_MAX });
  return [...merged.values()];
}
