import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsError } from './errors.ts';
import { nextTokenOf, positionIn } from './paging.ts';

const garbled = (run: () => unknown) =>
  assert.throws(run, (error) => error instanceof AwsError && error.code === 'InvalidParameterException');

test('a token leads back to where it was made', () => {
  const token = nextTokenOf('ListImages', ['sha256:ab', 'Grüße']);
  assert.match(String(token), /^[A-Za-z0-9_-]+$/);
  assert.deepEqual(positionIn('ListImages', token, 2), ['sha256:ab', 'Grüße']);
});

test('no position makes no token, and no token no position', () => {
  assert.equal(nextTokenOf('ListImages', undefined), undefined);
  assert.equal(positionIn('ListImages', undefined, 2), undefined);
});

test('a token of another operation or length, or of nobody, is refused', () => {
  garbled(() => positionIn('DescribeImages', nextTokenOf('ListImages', ['a', 'b']), 2));
  garbled(() => positionIn('ListImages', nextTokenOf('ListImages', ['a']), 2));
  for (const text of ['null', '{}', '["ListImages",1,2]', '["ListImages",["a"],"b"]', 'x', '']) {
    garbled(() => positionIn('ListImages', Buffer.from(text).toString('base64url'), 2));
  }
  garbled(() => positionIn('ListImages', nextTokenOf('ListImages', ['a', 'b'.repeat(4000)]), 2));
});
