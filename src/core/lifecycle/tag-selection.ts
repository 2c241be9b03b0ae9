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

/** A pattern, cut at its stars: first what a tag begins with, last what it ends with, between them what comes in order. */
interface Entry {
  readonly beginning: string;
  readonly middle: readonly string[];
  /** Undefined where there is no star: then the beginning is all. */
  readonly end: string | undefined;
}

function compiled(by: 'pattern' | 'prefix', entry: string): Entry {
  if (by === 'prefix') return { beginning: entry, middle: [], end: '' };
  const [beginning = '', ...others] = entry.split('*');
  return { beginning, middle: others.slice(0, -1).filter((chunk) => chunk !== ''), end: others.at(-1) };
}

function matchesAny(entry: Entry, tags: readonly string[]): boolean {
  for (const tag of tags) if (matches(entry, tag)) return true;
  return false;
}

/** Each chunk at its first possible place: there is nothing to go back to. Most tags are turned away by their beginning. */
function matches({ beginning, middle, end }: Entry, tag: string): boolean {
  if (!tag.startsWith(beginning)) return false;
  if (end === undefined) return tag.length === beginning.length;
  const endsAt = tag.length - end.length;
  if (endsAt < beginning.length || !tag.endsWith(end)) return false;
  let at = beginning.length;
  for (const chunk of middle) {
    const found = tag.indexOf(chunk, at);
    if (found < 0 || found + chunk.length > endsAt) return false;
    at = found + chunk.length;
  }
  return true;
}
