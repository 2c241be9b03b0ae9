import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMANDS, GROUPS } from './command-table.ts';

describe('the table of commands', () => {
  it('has something to run for each, under words of its own', async () => {
    const words = COMMANDS.map((spec) => spec.words);
    assert.equal(new Set(words).size, words.length);
    for (const spec of COMMANDS) assert.equal(typeof (await spec.load()), 'function', spec.words);
  });

  it('runs another function for each', async () => {
    const [, , , ...ours] = await Promise.all(COMMANDS.map((spec) => spec.load()));
    assert.equal(new Set(ours).size, ours.length);
  });

  it('describes each group, and no other', () => {
    const used = COMMANDS.flatMap(({ words }) => {
      const before = words.split(' ').slice(0, -1);
      return before.map((_, at) => before.slice(0, at + 1).join(' '));
    });
    assert.deepEqual([...new Set(used)].toSorted(), Object.keys(GROUPS).toSorted());
  });

  it('names no flag twice', () => {
    for (const { words, settings, options = [] } of COMMANDS) {
      const flags = [...settings, ...options].map(({ flag }) => flag);
      assert.deepEqual([...new Set(flags)], flags, words);
    }
  });
});
