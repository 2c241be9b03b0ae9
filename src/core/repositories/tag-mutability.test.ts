import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError } from '../errors.ts';
import type { ImageTagMutability } from './repository-records.ts';
import { checkExclusionFilters, isTagImmutable, matchesWildcard } from './tag-mutability.ts';

test('a wildcard pattern matches whole tags', () => {
  const cases: [pattern: string, text: string, matches: boolean][] = [
    ['latest', 'latest', true],
    ['latest', 'latest1', false],
    ['prod*', 'prod', true],
    ['prod*', 'production-1', true],
    ['*prod*', 'repo-production', true],
    ['v*.beta', 'v1.2.beta', true],
    ['v*.beta', 'v1.2.beta.3', false],
    ['*', '', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['**', 'x', true],
    ['', 'x', false],
  ];
  for (const [pattern, text, matches] of cases)
    assert.equal(matchesWildcard(pattern, text), matches, `${pattern} ${text}`);
});

test('a pattern of many stars does not blow up', () => {
  assert.equal(matchesWildcard('*a'.repeat(60), `${'a'.repeat(5000)}b`), false);
});

test('each mutability decides for tags inside and outside its filters', () => {
  const decide = (imageTagMutability: ImageTagMutability, tag: string) =>
    isTagImmutable({ imageTagMutability, exclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }] }, tag);
  assert.deepEqual(
    (['MUTABLE', 'IMMUTABLE', 'IMMUTABLE_WITH_EXCLUSION', 'MUTABLE_WITH_EXCLUSION'] as const).map((mode) => [
      decide(mode, 'dev-1'),
      decide(mode, 'v1'),
    ]),
    [
      [false, false],
      [true, true],
      [false, true],
      [true, false],
    ],
  );
});

test('filters are asked for with exclusions and refused without', () => {
  const filters = [{ filterType: 'WILDCARD', filter: 'a' }] as const;
  checkExclusionFilters('IMMUTABLE_WITH_EXCLUSION', filters);
  checkExclusionFilters('MUTABLE');
  assert.throws(() => checkExclusionFilters('IMMUTABLE_WITH_EXCLUSION'), RefusedError);
  assert.throws(() => checkExclusionFilters('MUTABLE', filters), RefusedError);
});
