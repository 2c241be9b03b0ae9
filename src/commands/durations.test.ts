import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeDuration, parseDuration } from './durations.ts';

it('reads lengths of time, and says them again', () => {
  const lengths = { '45s': 45, '30m': 1800, '12h': 43_200, '90d': 7_776_000, '2w': 1_209_600 };
  for (const [text, seconds] of Object.entries(lengths)) {
    assert.equal(parseDuration(text, 'expires'), seconds);
    assert.equal(describeDuration(seconds), text);
  }
  assert.equal(describeDuration(5400), '90m');
});

it('refuses any other text', () => {
  for (const text of ['', '0d', '90', 'd', '1.5h', '-1h', '1y', '1h30m', '9999999d']) {
    assert.throws(() => parseDuration(text, 'expires'), {
      name: 'CommandError',
      message: /--expires must be a length/,
    });
  }
});
