import { refuse } from '../errors.ts';
import type { ExclusionFilter, ImageTagMutability, Repository } from './repository-records.ts';

/** Whether a tag, once set, may not be moved (ECR user guide, "Image tag mutability"). */
export function isTagImmutable(
  repository: Pick<Repository, 'imageTagMutability' | 'exclusionFilters'>,
  tag: string,
): boolean {
  const excluded = () => repository.exclusionFilters.some(({ filter }) => matchesWildcard(filter, tag));
  switch (repository.imageTagMutability) {
    case 'MUTABLE':
      return false;
    case 'IMMUTABLE':
      return true;
    case 'IMMUTABLE_WITH_EXCLUSION':
      return !excluded();
    case 'MUTABLE_WITH_EXCLUSION':
      return excluded();
  }
}

/** Filters come with the two exclusion modes and with no other. */
export function checkExclusionFilters(mutability: ImageTagMutability, filters: readonly ExclusionFilter[] = []): void {
  const parameter = 'imageTagMutabilityExclusionFilters';
  const wantsFilters = mutability.endsWith('_WITH_EXCLUSION');
  if (wantsFilters === filters.length > 0) return;
  const constraint = wantsFilters
    ? `ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as ${mutability}`
    : `ImageTagMutabilityExclusionFilters must be null when imageTagMutability is set as ${mutability}`;
  refuse({ kind: 'invalid-parameter', parameter, constraint });
}

/** Whole-text match; `*` stands for any run of characters. Takes time linear in pattern times text, whatever the pattern. */
export function matchesWildcard(pattern: string, text: string): boolean {
  let at = 0;
  let patternAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (at < text.length) {
    if (pattern[patternAt] === '*') {
      starAt = patternAt++;
      resumeAt = at;
    } else if (pattern[patternAt] === text[at]) {
      patternAt++;
      at++;
    } else if (starAt >= 0) {
      patternAt = starAt + 1;
      at = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === '*') patternAt++;
  return patternAt === pattern.length;
}
