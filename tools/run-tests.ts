/**
 * `npm test [-- FILTER…]`: unit, contract and system tests in one go, nothing needed but Node and npm.
 * `npm run test:clients [-- FILTER…]`: the real clients. `npm run test:cluster [-- FILTER…]`: real databases and object
 * stores. A filter is a piece of a file's path; any of several may match.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

const suites = {
  all: ['src/**/*.test.ts', 'tools/**/*.test.ts', 'test/{contract,core,durability,system}/**/*.test.ts'],
  clients: ['test/clients/**/*.test.ts'],
  cluster: ['test/cluster/**/*.test.ts'],
} as const;

process.exit(runTests(process.argv.slice(2)));

/** @returns the exit code: 0 only when at least one file ran and every test in all of them passed */
function runTests(words: readonly string[]): number {
  const suite = (['clients', 'cluster'] as const).find((name) => words.includes(`--${name}`)) ?? 'all';
  const options = words.filter((word) => word.startsWith('--') && word !== `--${suite}`);
  const filters = words.filter((word) => !word.startsWith('--'));
  const found = globSync(suites[suite], { cwd: root }).sort();
  const files = found.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
  if (files.length === 0) {
    console.error(`no test file among ${found.length} matches ${filters.join(' or ') || 'the suite'}`);
    return 1;
  }
  // These tests start daemons and move gigabytes: one file at a time.
  const concurrency = suite !== 'all' ? ['--test-concurrency=1'] : [];
  const command = ['--test', '--test-reporter=spec', ...concurrency, ...options, ...files];
  const { status, signal, error } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (signal !== null) console.error(`the test runner was ended by ${signal}`);
  return status ?? 1;
}
