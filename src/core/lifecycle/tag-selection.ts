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
  const entries = [...new Set(selection.entries)].map((entry) => compileEntry(selection.by, entry));
  const excluded = [...new Set(selection.excluded)].map((entry) => compileEntry(selection.by, entry));
  return (tags) =>
    tags.length > 0 &&
    entries.every((matches) => tags.some(matches)) &&
    !excluded.some((matches) => tags.some(matches));
}

/** A pattern is matched with the whole tag, a prefix with its beginning. Most patterns are a name, or a prefix with a star. */
function compileEntry(by: 'pattern' | 'prefix', entry: string): (tag: string) => boolean {
  if (by === 'prefix') return (tag) => tag.startsWith(entry);
  const star = entry.indexOf('*');
  if (star < 0) return (tag) => tag === entry;
  const prefix = entry.slice(0, star);
  if (star === entry.length - 1) return (tag) => tag.startsWith(prefix);
  return (tag) => matchesWildcard(entry, tag);
}
