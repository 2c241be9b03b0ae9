import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { severityOfScore, severityOfWord } from './severity.ts';

describe('a severity', () => {
  it('follows from a score', () => {
    const scores = [0, 0.1, 3.9, 4, 6.9, 7, 8.9, 9, 10];
    assert.deepEqual(
      scores.map((score) => severityOfScore(score, '3.1')),
      ['INFORMATIONAL', 'LOW', 'LOW', 'MEDIUM', 'MEDIUM', 'HIGH', 'HIGH', 'CRITICAL', 'CRITICAL'],
    );
    assert.equal(severityOfScore(10, '2.0'), 'HIGH');
  });

  it('is what distributions call it', () => {
    const words = ['Critical', 'important', 'MODERATE', 'low', 'negligible', 'unimportant', 'not yet assigned', ''];
    assert.deepEqual(words.map(severityOfWord), [
      'CRITICAL',
      'HIGH',
      'MEDIUM',
      'LOW',
      'INFORMATIONAL',
      'INFORMATIONAL',
      'UNDEFINED',
      'UNDEFINED',
    ]);
  });
});
