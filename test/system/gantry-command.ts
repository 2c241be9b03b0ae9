import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Ran, runAny } from '../support/programs.ts';
import { checkout, cleanEnvironment, pinnedNode } from '../support/server.ts';

/** Runs `gantry WORDS --data DATA` as an operator would. */
export type Gantry = (...words: string[]) => Promise<string>;

/** A command on a data folder that must succeed; what it said. */
export function gantryOn(data: string): Gantry {
  return async (...words) => {
    const { code, stdout, stderr } = await gantryAny(data, words);
    assert.equal(code, 0, `${words.join(' ')}: ${stderr}`);
    return stdout;
  };
}

/** A command that must be refused in one sentence; the sentence. */
export function refusalOn(data: string): Gantry {
  return async (...words) => {
    const { code, stdout, stderr } = await gantryAny(data, words);
    assert.equal(code, 1, `${words.join(' ')}: ${stdout}`);
    assert.match(stderr, /^gantry: [^\n]+\n$/);
    return stderr;
  };
}

function gantryAny(data: string, words: readonly string[]): Promise<Ran> {
  const command = [pinnedNode, join(checkout, 'bin', 'gantry.js'), ...words, '--data', data];
  return runAny(command, { env: cleanEnvironment() as Record<string, string> });
}
