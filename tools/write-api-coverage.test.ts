import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { apiCoverage } from './write-api-coverage.ts';

test('docs/api-coverage.md says what the table of operations says', () => {
  const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'api-coverage.md'), 'utf8');
  assert.equal(page, apiCoverage(), 'run node tools/write-api-coverage.ts');
});
