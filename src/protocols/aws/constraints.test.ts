import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RULES_BY_MEMBER, RULES_BY_SHAPE, type Rule } from './constraint-rules.ts';
import { findViolation } from './constraints.ts';
import { loadModel, readStructure } from './model.ts';
import type { OperationName } from './operation.ts';
import { OPERATIONS } from './operations.ts';
import type { Shape } from './shapes.ts';

const model = await loadModel();

function violationOf(operation: OperationName, json: object): string | undefined {
  const { input } = model.shapesOf(operation);
  const violation = findViolation(input, readStructure(input, json));
  return violation && `${violation.parameter}: ${violation.constraint}`;
}

const digest = `sha256:${'0'.repeat(64)}`;
const uploadId = '00000000-0000-0000-0000-00000000000f';

test('says what is required in the words of ECR', () => {
  assert.equal(violationOf('ListImages', {}), 'repositoryName: must not be null');
  assert.equal(
    violationOf('PutImageTagMutability', { repositoryName: 'ab' }),
    'imageTagMutability: Member must not be null',
  );
  assert.equal(
    violationOf('TagResource', { resourceArn: 'x', tags: [{ Key: 'k', Value: 'v' }, { Value: 'v' }] }),
    'tags.2.member.key: Member must not be null',
  );
});

test('holds values to their bounds, both ends allowed', () => {
  assert.equal(violationOf('DescribeRepositories', { maxResults: 1 }), undefined);
  assert.equal(violationOf('DescribeRepositories', { maxResults: 1000 }), undefined);
  assert.equal(
    violationOf('DescribeRepositories', { maxResults: 0 }),
    'maxResults: Member must have value greater than or equal to 1',
  );
  assert.match(
    violationOf('ListImageReferrers', { repositoryName: 'ab', subjectId: { imageDigest: digest }, maxResults: 51 }) ??
      '',
    /50$/,
  );
  assert.match(violationOf('GetLifecyclePolicyPreview', { repositoryName: 'ab', maxResults: 101 }) ?? '', /100$/);
});

test('holds lists to their sizes and elements to their rules', () => {
  const complete = (layerDigests: string[]) =>
    violationOf('CompleteLayerUpload', { repositoryName: 'ab', uploadId, layerDigests });
  assert.equal(complete(Array(100).fill(digest)), undefined);
  assert.equal(complete([]), 'layerDigests: Member must have length greater than or equal to 1');
  assert.equal(complete(Array(101).fill(digest)), 'layerDigests: Member must have length less than or equal to 100');
  assert.match(
    complete([digest, 'x']) ?? '',
    /^layerDigests: Member must satisfy constraint: \[Member must satisfy regular/,
  );
  const check = (layerDigests: string[]) =>
    violationOf('BatchCheckLayerAvailability', { repositoryName: 'ab', layerDigests });
  assert.equal(check(['nonsense', '']), undefined);
  assert.match(check(['x'.repeat(1001)]) ?? '', /length less than or equal to 1000/);
});

test('matches patterns against the whole text', () => {
  const name = (repositoryName: string) => violationOf('ListImages', { repositoryName });
  for (const good of ['ab', '0a', 'a__b', 'a---b', 'a.b/c_d/e', 'a'.repeat(256)])
    assert.equal(name(good), undefined, good);
  for (const bad of ['a___b', 'a_-b', '_a', 'a_', 'a/', '/a', 'a//b', 'A', 'ab\n', '\nab', 'a b', '..', 'a..b', 'é']) {
    assert.notEqual(name(bad), undefined, bad);
  }
  const account = (registryId: string) => violationOf('DescribeRepositories', { registryId });
  assert.equal(account('123456789012'), undefined);
  for (const bad of ['1234567890123', '12345678901', ' 123456789012', '１２３４５６７８９０１２'])
    assert.notEqual(account(bad), undefined);
});

test('every rule belongs to a member that an operation takes', () => {
  const seen = new Set<string>();
  const visit = (shape: Shape): void => {
    if (shape.kind === 'list' || shape.kind === 'map') visit(shape.element);
    if (shape.kind !== 'structure') return;
    for (const member of shape.members) {
      const own = RULES_BY_SHAPE[shape.name]?.[member.name];
      seen.add(own === undefined ? member.name : `${shape.name}.${member.name}`);
      visit(member.shape);
    }
  };
  for (const name of Object.keys(OPERATIONS)) visit(model.shapesOf(name as OperationName).input);
  const ofShapes = Object.entries(RULES_BY_SHAPE).flatMap(([shape, rules]) =>
    Object.keys(rules).map((name) => `${shape}.${name}`),
  );
  assert.deepEqual(
    [...ofShapes, ...Object.keys(RULES_BY_MEMBER)].filter((name) => !seen.has(name)),
    [],
  );
});

test('no pattern takes long over any text that its bounds let through', () => {
  const rules = [RULES_BY_MEMBER, ...Object.values(RULES_BY_SHAPE)].flatMap((table) => Object.values(table));
  const patterns = new Set(rules.flatMap(patternsIn));
  assert.ok(patterns.size > 10);
  const starts = ['', 'a', 'arn:aws', 'arn:aws:iam::000000000000:role/', 'arn:aws:secretsmanager:', 'a/', 'x:'];
  const runs = ['a', 'a.', 'a-', '-', '_', 'a/', '*', '*.', 'aa-', '-a', '/a', ':', 'arn:'];
  const texts = starts.flatMap((start) => runs.map((run) => `${start}${run.repeat(2048)}`.slice(0, 2048)));
  for (const [pattern, lengthMax] of [...patterns].map((one) => JSON.parse(one))) {
    const whole = new RegExp(`^(?:${pattern})$`);
    // One that backtracks badly would not come back from here.
    for (const text of texts) whole.test(`${text.slice(0, lengthMax - 1)}!`);
  }
});

function patternsIn(rule: Rule): string[] {
  const inner = rule.element === undefined ? [] : patternsIn(rule.element);
  const pattern = rule.linearPattern ?? rule.pattern;
  return pattern === undefined ? inner : [JSON.stringify([pattern, rule.lengthMax ?? 2048]), ...inner];
}
