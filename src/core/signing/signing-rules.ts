import { matchesWildcard } from '../repositories/tag-mutability.ts';
import type { SigningRule } from './signing-records.ts';

/** The profiles that sign what is pushed to a repository, each once. */
export function profilesFor(rules: readonly SigningRule[], repositoryName: string): string[] {
  const matching = rules.filter(
    ({ filters }) => filters.length === 0 || filters.some((filter) => matchesWildcard(filter, repositoryName)),
  );
  return [...new Set(matching.map(({ profileArn }) => profileArn))];
}
