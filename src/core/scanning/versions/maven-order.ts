import { compareDigits, compareText, isDigit } from './digit-runs.ts';
import type { VersionOrder } from './version-order.ts';

/** Maven's (POM reference, "Version Order Specification"); every text is a version. */
export const mavenOrder: VersionOrder = {
  isVersion: (text) => text !== '',
  compare: (one, other) => compareLists(parse(one), parse(other)),
};

/** A number, a qualifier in lower case, or what stands behind a hyphen or where digits meet letters. */
type Item = { readonly number: string } | { readonly word: string } | Item[];

/** Deeper ones are of no use to anybody and would end the stack. */
const DEPTH_MAX = 200;

function parse(version: string): Item[] {
  const lists: Item[][] = [[]];
  const deepen = () => {
    if (lists.length >= DEPTH_MAX) return;
    const list: Item[] = [];
    lists.at(-1)!.push(list);
    lists.push(list);
  };
  const text = version.toLowerCase();
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const isSeparator = text[at] === '.' || text[at] === '-';
    if (isSeparator) {
      lists.at(-1)!.push(at === start ? { number: '0' } : itemOf(text.slice(start, at), false));
      start = at + 1;
      if (text[at] === '-') deepen();
    } else if (at > start && isDigit(text.charCodeAt(at)) !== isDigit(text.charCodeAt(at - 1))) {
      if (isDigit(text.charCodeAt(at)) && lists.at(-1)!.length > 0) deepen();
      lists.at(-1)!.push(itemOf(text.slice(start, at), true));
      start = at;
      deepen();
    }
  }
  if (start < text.length) {
    // A qualifier behind a dot counts as one behind a hyphen, at the end and before digits.
    if (!isDigit(text.charCodeAt(start)) && lists.at(-1)!.length > 0) deepen();
    lists.at(-1)!.push(itemOf(text.slice(start), false));
  }
  for (const list of lists.reverse()) trim(list);
  return lists.at(-1)!;
}

function itemOf(text: string, isFollowed: boolean): Item {
  if (isDigit(text.charCodeAt(0))) return { number: text };
  return { word: (isFollowed ? SHORT[text] : undefined) ?? SAME[text] ?? text };
}

/** One letter stands for a qualifier when digits follow it at once. */
const SHORT: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  a: 'alpha',
  b: 'beta',
  m: 'milestone',
});
const SAME: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  ga: '',
  final: '',
  release: '',
  cr: 'rc',
});
const QUALIFIERS = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'];

/** What says nothing goes from the end, and from before a list at the end. */
function trim(list: Item[]): void {
  for (let at = list.length - 1; at >= 0; at -= 1) {
    const item = list[at]!;
    if (isNothing(item)) list.splice(at, 1);
    else if (!Array.isArray(item)) return;
  }
}

function isNothing(item: Item): boolean {
  if (Array.isArray(item)) return item.length === 0;
  return 'number' in item ? compareDigits(item.number, '') === 0 : item.word === '';
}

function compareLists(one: readonly Item[], other: readonly Item[]): number {
  for (let at = 0; at < Math.max(one.length, other.length); at += 1) {
    const difference = compareItems(one[at], other[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareItems(one: Item | undefined, other: Item | undefined): number {
  if (one === undefined) return other === undefined ? 0 : -compareWithNothing(other);
  if (other === undefined) return compareWithNothing(one);
  const difference = rank(one) - rank(other);
  if (difference !== 0) return difference;
  if (Array.isArray(one)) return compareLists(one, other as Item[]);
  if ('number' in one) return compareDigits(one.number, (other as { number: string }).number);
  return compareWords(one.word, (other as { word: string }).word);
}

function rank(item: Item): number {
  if (Array.isArray(item)) return 1;
  return 'number' in item ? 2 : 0;
}

function compareWithNothing(item: Item): number {
  if (!Array.isArray(item)) return 'number' in item ? compareDigits(item.number, '') : compareWords(item.word, '');
  for (const inner of item) {
    const difference = compareWithNothing(inner);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Unknown qualifiers come behind the known, in the order of their letters. */
function compareWords(one: string, other: string): number {
  const left = QUALIFIERS.indexOf(one);
  const right = QUALIFIERS.indexOf(other);
  if (left < 0 && right < 0) return compareText(one, other);
  return (left < 0 ? QUALIFIERS.length : left) - (right < 0 ? QUALIFIERS.length : right);
}
