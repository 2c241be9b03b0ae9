import type { randomSource } from './random-source.ts';

type Random = ReturnType<typeof randomSource>;

/** Pairs of versions of which many share what they begin with, so that the order is decided late. */
export function versionPairs(random: Random, pieces: VersionPieces, count: number): [string, string][] {
  return Array.from({ length: count }, () => {
    const one = randomVersion(random, pieces);
    return [one, random.once(3) ? randomVersion(random, pieces) : changed(random, pieces, one)];
  });
}

export interface VersionPieces {
  /** What every version begins with. */
  readonly first: readonly string[];
  readonly more: readonly string[];
  readonly moreMax: number;
  /** What may come at the end. */
  readonly last?: readonly string[];
  readonly isVersion?: (text: string) => boolean;
}

function randomVersion(random: Random, pieces: VersionPieces): string {
  for (;;) {
    const { first, more, moreMax, last = [''], isVersion = () => true } = pieces;
    const text = random.pick(first) + random.times(moreMax, () => random.pick(more)).join('') + random.pick(last);
    if (isVersion(text)) return text;
  }
}

function changed(random: Random, pieces: VersionPieces, version: string): string {
  const { isVersion = () => true } = pieces;
  for (let round = 0; round < 20; round += 1) {
    const cut = 1 + random.integer(version.length);
    const piece = random.once(3) ? '' : random.pick(pieces.more);
    const text = version.slice(0, cut) + piece + (random.once(2) ? version.slice(cut + random.integer(3)) : '');
    if (isVersion(text)) return text;
  }
  return randomVersion(random, pieces);
}

export const dpkgPieces: VersionPieces = {
  first: ['0', '1', '2.36', '1:1.2', '0:1', '10', '2:0', '3.0.22', '01'],
  more: ['.', '+', '~', '-', '0', '00', '1', '9', '10', 'a', 'A', 'z', 'rc', 'deb12u', 'dfsg', '~~', '+b1', '-0', '-1'],
  moreMax: 6,
  isVersion: (text) => /^(?:\d+:)?\d[A-Za-z0-9.+~-]*$/.test(text) && !/-$/.test(text),
};

export const apkPieces: VersionPieces = {
  first: ['0', '1', '1.2', '10.01', '3.0.22', '2.0'],
  more: [
    '.0',
    '.1',
    '.01',
    '.10',
    '.9',
    'a',
    'b',
    '_alpha',
    '_beta2',
    '_pre',
    '_rc1',
    '_git',
    '_p',
    '_p1',
    '_hg3',
    '_cvs',
    '_svn1',
  ],
  moreMax: 4,
  last: ['', '', '-r0', '-r1', '-r10', '~abc-r1', '~0f', '_'],
};

export const rpmPieces: VersionPieces = {
  first: ['0', '1', '1.2', 'a', '0:1', '1:0', '2:1.0', '10', '~1'],
  more: ['.', '~', '^', '_', '+', '..', '0', '00', '1', '10', '9', 'a', 'b', 'el9', 'rc', 'A', '~rc', '^git', '-1'],
  moreMax: 6,
  // rpm has no version without a character in front of its release.
  isVersion: (text) => /^(?:\d+:)?[^-:]+(?:-[^-:]+)?$/.test(text),
};

export const pythonPieces: VersionPieces = {
  first: ['0', '1', '1.0', '1.0.0', '1!0', 'v2', '2020.1', '1.1'],
  more: [
    '.0',
    '.1',
    '.10',
    'a',
    'a1',
    '.beta2',
    '-rc.1',
    'c2',
    'pre',
    '.post',
    '.post1',
    '-1',
    '-r2',
    '.dev',
    '.dev3',
    '_dev0',
    'rev1',
  ],
  moreMax: 3,
  last: ['', '', '', '+local', '+1', '+ubuntu.2', '+ubuntu-10', '+1.a'],
};

export const semverPieces: VersionPieces = {
  first: ['0.0.0', '1.0.0', '1.2.3', '1.2.10', '2.0.0', '0.0.0-2021'],
  more: ['-alpha', '-0', '-1', '.1', '.10', '.beta', '-rc', '.rc1', '-', '.x-y'],
  moreMax: 3,
  last: ['', '', '+build', '+1'],
  isVersion: (text) =>
    /^\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+)?$/.test(text) &&
    !/(?:^|[.-])0\d+(?:[.+-]|$)/.test(text),
};

export const mavenPieces: VersionPieces = {
  first: ['1', '1.0', '2', '0', 'a', '10', '1.2'],
  more: [
    '.',
    '-',
    '0',
    '00',
    '1',
    '10',
    'a',
    'b',
    'm',
    'alpha',
    'beta',
    'rc',
    'CR',
    'ga',
    'final',
    'sp',
    'SNAPSHOT',
    'x',
    'foo',
    '-1',
    '.Final',
  ],
  moreMax: 5,
};
