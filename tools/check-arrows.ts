/**
 * `npm run arrows [-- ROOT]`: who may import whom (type imports included), no import cycles, no barrels, no file over 400 lines.
 * The table is the one of ARCHITECTURE.md. Prints one line per violation; exit code 1 when there is any.
 */
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { arrowViolations } from './arrows/arrows.ts';
import { barrelViolations } from './arrows/barrels.ts';
import { cycleViolations } from './arrows/cycles.ts';
import { type SourceFile, sourceFile } from './arrows/source-file.ts';

const linesMax = 400;
const checked = ['src/**/*.ts', 'test/**/*.ts', 'tools/**/*.ts', 'benchmarks/**/*.ts', 'bin/**/*.js'];

const root = process.argv[2] ?? join(import.meta.dirname, '..');
const files = globSync(checked, { cwd: root })
  .sort()
  .map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8')));
const violations = [
  ...arrowViolations(files, new Set(builtinModules)),
  ...cycleViolations(files),
  ...barrelViolations(files),
  ...lengthViolations(files),
];
for (const violation of violations) console.error(violation);
console.log(`${files.length} files, ${violations.length} violations of the import arrows`);
process.exitCode = violations.length === 0 ? 0 : 1;

function lengthViolations(sources: readonly SourceFile[]): string[] {
  return sources
    .filter(({ lines }) => lines > linesMax)
    .map(({ path, lines }) => `${path}: ${lines} lines; a file has at most ${linesMax}`);
}
