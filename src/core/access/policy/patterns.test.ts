import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { variable } from '../../../../test/oracle/policy-under-test.ts';
import { randomSource } from '../../../../test/oracle/random-source.ts';
import { compileActionPattern, compileArnPattern, compileResourcePattern, compileTextPattern } from './patterns.ts';
import { PolicyError } from './policy-error.ts';

const NAME = variable('aws:username');
const context = new Map<string, string | readonly string[]>([
  ['aws:username', 'alice'],
  ['aws:requesttag/star', '*'],
  ['aws:requesttag/colon', 'a:b'],
  ['aws:requesttag/variable', NAME],
  ['aws:tagkeys', ['a']],
]);
const APP = 'arn:aws:ecr:us-east-1:111111111111:repository/team/app';

type Row = readonly [pattern: string, text: string, matches: boolean | undefined];

const texts: readonly Row[] = [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'anything at all', true],
  ['?', '', false],
  ['?', 'a', true],
  ['?', 'ab', false],
  ['**', 'ab', true],
  ['*?', '', false],
  ['*?*', 'a', true],
  ['a*', 'a', true],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['ab*ba', 'aba', false],
  ['*b*', 'abc', true],
  ['*b?', 'abcbd', true],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['*?b', 'b', false],
  ['*.txt', 'a.txt.txt', true],
  ['.*', 'ab', false],
  ['[ab]', 'a', false],
  ['a\\*', 'a\\b', true],
  ['Team/*', 'team/app', false],
  [NAME, 'alice', true],
  [NAME, 'Alice', false],
  [`*${NAME}?`, 'x-alice1', true],
  [variable('AWS:UserName'), 'alice', true],
  [variable('aws:absent'), '', undefined],
  [variable('aws:absent', 'team'), 'team', true],
  [variable('aws:absent', ''), '', true],
  [variable('aws:absent', 'a}b'), 'a}b', true],
  [variable('aws:absent', '*'), 'x', false],
  [variable('aws:username', 'team'), 'alice', true],
  [variable('aws:tagkeys'), 'a', undefined],
  [variable('aws:RequestTag/star'), '*', true],
  [variable('aws:RequestTag/star'), 'x', false],
  [variable('aws:RequestTag/variable'), 'alice', false],
  [variable('aws:RequestTag/variable'), NAME, true],
  [variable('*'), '*', true],
  [variable('*'), 'x', false],
  [variable('?'), 'x', false],
  [`${variable('$')}{aws:username}`, NAME, true],
  ['$', '$', true],
  ['$5', '$5', true],
];

const resources: readonly Row[] = [
  ['*', APP, true],
  ['*', '*', true],
  [APP, APP, true],
  [APP, '*', false],
  [`${APP}2`, APP, false],
  ['arn:*', APP, true],
  ['arn:aws:ecr:*', APP, true],
  ['arn:aws:ecr:us-*', APP, true],
  ['arn:aws:sns:*', APP, false],
  ['arn:aws:ecr:*:repository/team/app', APP, true],
  ['arn:aws:ecr:*:*:repository/team/*', APP, true],
  ['arn:*:ecr:*:*:repository/team/app', APP, true],
  ['arn:aws:ecr:us-east-?:111111111111:repository/*', APP, true],
  ['arn:aws:ecr:*:222222222222:repository/*', APP, false],
  ['arn:aws:ecr:us-west-2:*:*', APP, false],
  ['arn:aws:ecr:::repository/team/app', APP, false],
  ['arn:aws:ecr:*:*:repository/team', APP, false],
  ['arn:aws:ecr:*:*:repository/*app', APP, true],
  ['arn:aws:ecr:*:*:repository/team?app', APP, true],
  ['arn:aws-cn:ecr:*:*:repository/team/app', APP, false],
  ['arn:aws:ecr:*:*:repository/t', 'arn:aws:ecr:a:b:c:repository/t', false],
  ['arn:aws:iam::1:role/a*', 'arn:aws:iam::1:role/a:b/c', true],
  [`arn:aws:ecr:*:*:repository/${NAME}/*`, 'arn:aws:ecr:r:1:repository/alice/x', true],
  [`arn:aws:ecr:*:*:repository/${NAME}/*`, APP, false],
  [`arn:aws:ecr:${variable('aws:absent')}:*:*`, APP, undefined],
  [`arn:aws:${variable('aws:RequestTag/colon')}:1:x`, 'arn:aws:a:b:1:x', false],
  [`arn:aws:s:${variable('aws:RequestTag/colon')}:1:x`, 'arn:aws:s:a:b:1:x', false],
];

const arns: readonly Row[] = [
  ['arn:aws:iam::1:user/*', 'arn:aws:iam::1:user/a/b', true],
  ['arn:aws:iam::*:user/a', 'arn:aws:iam::1:user/a', true],
  ['arn:aws:iam::*', 'arn:aws:iam::1:user/a', false],
  ['*', 'arn:aws:iam::1:user/a', false],
  ['arn:*:*:*:*:*', 'arn:aws:iam::1:user/a', true],
  [`arn:aws:iam::1:user/${NAME}`, 'arn:aws:iam::1:user/alice', true],
  ['arn:aws:iam::1:user/a', 'not an arn', false],
];

const suites = [
  ['text', texts, (source: string) => compileTextPattern(source, true)],
  ['resource', resources, (source: string) => compileResourcePattern(source, true)],
  ['ARN of a condition', arns, (source: string) => compileArnPattern(source, true)],
] as const;

for (const [what, rows, compile] of suites) {
  describe(`a ${what} pattern`, () => {
    for (const [pattern, text, matches] of rows) {
      it(`${pattern || 'nothing'} ${matches ? 'matches' : 'does not match'} ${text || 'nothing'}`, () => {
        assert.equal(compile(pattern).test(text, context), matches);
      });
    }
  });
}

describe('policy variables', () => {
  it('are plain text in a document of version 2008-10-17', () => {
    assert.equal(compileTextPattern(NAME, false).test('alice', context), false);
    assert.equal(compileTextPattern(NAME, false).test(NAME, context), true);
  });
  const broken = ['', ' ', 'username', "aws:username, 'x", 'aws:username, x', ':x'].map((inner) => variable(inner));
  for (const text of [...broken, NAME.slice(0, -1)])
    it(`refuse ${text}`, () => assert.throws(() => compileTextPattern(`a${text}`, true), PolicyError));
});

describe('wildcards', () => {
  it('match what a regular expression matches', () => {
    const { pick, times } = randomSource(7);
    for (let round = 0; round < 5_000; round += 1) {
      const pattern = times(7, () => pick(['a', 'b', '*', '?', '*'])).join('');
      const text = times(9, () => pick(['a', 'b', 'c'])).join('');
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
      assert.equal(compileTextPattern(pattern, true).test(text, context), expected, `${pattern} against ${text}`);
      assert.equal(compileActionPattern(pattern.toUpperCase()).test(text, context), expected);
    }
  });

  it('segments of ARNs match what one regular expression for each matches', () => {
    const { pick, times } = randomSource(8);
    const segments = (letters: readonly string[]) =>
      Array.from({ length: 6 }, () => times(3, () => pick(letters)).join('')).join(':');
    for (let round = 0; round < 5_000; round += 1) {
      const pattern = segments(['a', '*', '?', '*']);
      const arn = segments(['a', 'b']);
      const expected = pattern
        .split(':')
        .every((part, at) =>
          new RegExp(`^${part.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(arn.split(':')[at]!),
        );
      assert.equal(compileResourcePattern(pattern, true).test(arn, context), expected, `${pattern} against ${arn}`);
      assert.equal(compileArnPattern(pattern, true).test(arn, context), expected, `${pattern} against ${arn}`);
    }
  });

  it('end on patterns that keep a backtracking matcher busy for ever', () => {
    const text = `${'a'.repeat(2_000)}b`;
    for (const pattern of [
      '*a'.repeat(3_000),
      `${'a*'.repeat(1_500)}c`,
      `${'*?'.repeat(1_500)}c`,
      `${'*aaaa'.repeat(400)}*c*`,
    ])
      assert.equal(compileTextPattern(pattern, true).test(text, context), false);
    assert.equal(compileTextPattern(`${'a*'.repeat(1_500)}b`, true).test(text, context), true);
  });
});
