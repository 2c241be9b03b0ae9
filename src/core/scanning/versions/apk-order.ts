import { compareDigits, compareText } from './digit-runs.ts';
import type { VersionOrder } from './version-order.ts';

/**
 * Alpine's (apk-package(5)): `number{.number}[letter]{_suffix[number]}[~hash][-rN]`. As apk does, versions are compared
 * from the left as far as they can be read; what cannot be read sorts before what ends there.
 */
export const apkOrder: VersionOrder = {
  isVersion: (text) => parse(text).at(-1)!.kind === Kind.end,
  compare(one, other) {
    if (one === other) return 0;
    const left = parse(one);
    const right = parse(other);
    let at = 0;
    for (; left[at]!.kind === right[at]!.kind && left[at]!.kind < Kind.end; at += 1) {
      const difference = compareTokens(left[at]!, right[at]!);
      if (difference !== 0) return difference;
    }
    return compareRests(left[at]!, right[at]!);
  },
};

/** In the order in which they may follow each other, and the other way round in which a version that goes on is newer. */
const Kind = { first: 0, number: 1, letter: 2, suffix: 3, suffixNumber: 4, hash: 5, revision: 6, end: 7, invalid: 8 };

interface Token {
  readonly kind: number;
  readonly text: string;
}

/** What may come at a place, with the kinds it may follow. */
const GRAMMAR: readonly { kind: number; pattern: RegExp; after: (kind: number) => boolean }[] = [
  // Digits that follow a number at once cannot be: the number has taken them.
  { kind: Kind.number, pattern: /\.([0-9]+)/y, after: (kind) => kind <= Kind.number },
  { kind: Kind.letter, pattern: /([a-z])/y, after: (kind) => kind <= Kind.number },
  { kind: Kind.suffix, pattern: /_(alpha|beta|pre|rc|cvs|svn|git|hg|p)(?![a-z])/y, after: (kind) => kind < Kind.hash },
  { kind: Kind.suffixNumber, pattern: /([0-9]+)/y, after: (kind) => kind === Kind.suffix },
  { kind: Kind.hash, pattern: /~([0-9a-fA-F]+)/y, after: (kind) => kind < Kind.hash },
  { kind: Kind.revision, pattern: /-r([0-9]+)/y, after: (kind) => kind < Kind.revision },
];

/** The last token is an end, or says that the rest cannot be read. */
function parse(version: string): Token[] {
  const first = /^[0-9]+/.exec(version)?.[0];
  if (first === undefined) return [{ kind: Kind.invalid, text: '' }];
  const tokens: Token[] = [{ kind: Kind.first, text: first }];
  let at = first.length;
  while (at < version.length) {
    const next = tokenAt(version, at, tokens.at(-1)!.kind);
    if (next === undefined) return [...tokens, { kind: Kind.invalid, text: '' }];
    tokens.push(next.token);
    at = next.end;
  }
  return [...tokens, { kind: Kind.end, text: '' }];
}

function tokenAt(version: string, at: number, previous: number): { token: Token; end: number } | undefined {
  for (const { kind, pattern, after } of GRAMMAR) {
    if (!after(previous)) continue;
    pattern.lastIndex = at;
    const text = pattern.exec(version)?.[1];
    if (text !== undefined) return { token: { kind, text }, end: pattern.lastIndex };
  }
  return undefined;
}

function compareTokens({ kind, text }: Token, other: Token): number {
  if (kind === Kind.suffix) return SUFFIXES.indexOf(text) - SUFFIXES.indexOf(other.text);
  // Of numbers behind a dot, those with a zero in front are fractions (Gentoo's PMS 3.3, which apk follows here).
  const isFraction = kind === Kind.number && (text.startsWith('0') || other.text.startsWith('0'));
  const isText = isFraction || kind === Kind.letter || kind === Kind.hash;
  return isText ? compareText(text, other.text) : compareDigits(text, other.text);
}

/** The empty one stands for no suffix: those before it come before a release, those behind it after. */
const SUFFIXES = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];

/** All before is equal. What goes on is newer, unless with a suffix that comes before a release. */
function compareRests(one: Token, other: Token): number {
  if (one.kind === other.kind) return 0;
  if (isBeforeRelease(one)) return -1;
  if (isBeforeRelease(other)) return 1;
  return other.kind - one.kind;
}

function isBeforeRelease({ kind, text }: Token): boolean {
  return kind === Kind.suffix && SUFFIXES.indexOf(text) < SUFFIXES.indexOf('');
}
