import { matchesWildcard } from '../repositories/tag-mutability.ts';

/** Which images a rule means, by their tags. */
export type TagSelection =
  | { readonly status: 'any' }
  | { readonly status: 'untagged' }
  | {
      readonly status: 'tagged';
      readonly by: 'pattern' | 'prefix';
      /** Each must match one of the image's tags, whichever. */
      readonly entries: readonly string[];
      /** None may match any of its tags. */
      readonly excluded: readonly string[];
    };

/** Compiles a selection once, so that asking it for each of many images is cheap (ECR user guide, "Lifecycle policy properties"). */
export function compileTagSelection(selection: TagSelection): (tags: readonly string[]) => boolean {
  if (selection.status === 'any') return () => true;
  if (selection.status === 'untagged') return (tags) => tags.length === 0;
  const compile = (entries: readonly string[]) => [...new Set(entries)].map((entry) => compiled(selection.by, entry));
  const entries = compile(selection.entries);
  const excluded = compile(selection.excluded);
  return (tags) => {
    if (tags.length === 0) return false;
    for (const entry of entries) if (!matchesAny(entry, tags)) return false;
    for (const entry of excluded) if (matchesAny(entry, tags)) return false;
    return true;
  };
}

interface Entry {
  /** All before the first star; every tag that matches begins so. */
  readonly beginning: string;
  /** What else is asked of such a tag: nothing more, to be no longer, or to match the pattern. */
  readonly rest: 'anything' | 'nothing' | { readonly pattern: string };
}

/** Most patterns are a whole tag, or a beginning with a star; few need the matcher. */
function compiled(by: 'pattern' | 'prefix', entry: string): Entry {
  if (by === 'prefix') return { beginning: entry, rest: 'anything' };
  const star = entry.indexOf('*');
  if (star < 0) return { beginning: entry, rest: 'nothing' };
  return { beginning: entry.slice(0, star), rest: star === entry.length - 1 ? 'anything' : { pattern: entry } };
}

function matchesAny({ beginning, rest }: Entry, tags: readonly string[]): boolean {
  for (const tag of tags) {
    if (!tag.startsWith(beginning)) continue;
    if (rest === 'anything') return true;
    if (rest === 'nothing' ? tag.length === beginning.length : matchesWildcard(rest.pattern, tag)) return true;
  }
  return false;
}
