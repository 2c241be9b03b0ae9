/**
 * `node tools/write-api-coverage.ts`: writes docs/api-coverage.md from the table of operations, and from that of members that
 * answers never fill.
 * `--check` writes nothing; the exit code is 1 when the page is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPERATIONS } from '../src/protocols/aws/operations.ts';
import { UNFILLED_MEMBERS } from './unfilled-members.ts';

const page = join(import.meta.dirname, '..', 'docs', 'api-coverage.md');

if (import.meta.main) {
  if (process.argv.includes('--check')) checkPage();
  else writeFileSync(page, apiCoverage());
}

/** The page, in the order of operation names. */
export function apiCoverage(): string {
  const operations: [name: string, operation: { action: string; run?: unknown }][] = Object.entries(OPERATIONS);
  operations.sort(([one], [other]) => (one < other ? -1 : 1));
  const served = operations.filter(([, { run }]) => run !== undefined);
  const unfilled = Object.entries(UNFILLED_MEMBERS).map(([member, reason]) => `| \`${member}\` | ${reason} |`);
  const rows = operations.map(([name, { action, run }]) => `| ${name} | ${run ? 'yes' : '–'} | \`${action}\` |`);
  return `# Coverage of the ECR API

<!-- Written by tools/write-api-coverage.ts from src/protocols/aws/operations.ts and tools/unfilled-members.ts. -->

Gantry answers ${served.length} of the ${operations.length} operations that \`@aws-sdk/client-ecr\` knows. The others answer
\`UnsupportedOperationException\` (HTTP 400, which SDKs do not retry). On the same port STS answers \`GetCallerIdentity\`,
\`AssumeRole\` and \`AssumeRoleWithWebIdentity\`.

| Operation | Served | IAM action |
| --- | --- | --- |
${rows.join('\n')}

## Members of answers that are never filled

Every other member of an answer that the SDK knows is filled where ECR fills it; a test drives every operation that is served
and fails for one that is neither seen nor listed here. What lies within a listed member is not listed.

| Member | Why |
| --- | --- |
${unfilled.sort().join('\n')}
`;
}

function checkPage(): void {
  if (readFileSync(page, 'utf8') === apiCoverage()) return;
  console.error('docs/api-coverage.md is out of date: run node tools/write-api-coverage.ts');
  process.exitCode = 1;
}
