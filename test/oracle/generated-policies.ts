import type { PolicyPrincipal } from '../../src/core/access/policy/principals.ts';
import {
  alice,
  anonymous,
  bob,
  builder,
  type Draft,
  FOREIGN,
  foreignRoot,
  OWN,
  type PolicyDrafts,
  ROLE,
  root,
  variable,
} from './policy-under-test.ts';
import type { randomSource } from './random-source.ts';

type Random = ReturnType<typeof randomSource>;

/** Requests and policies about few names, so that they meet often. Every value is valid; every element and operator occurs. */
export function randomRequest(random: Random) {
  const { pick, once } = random;
  const principal: PolicyPrincipal = pick([alice, alice, bob, builder, builder, root, foreignRoot, anonymous]);
  return {
    principal,
    ...(once(12) ? TOKEN : actionOnRepository(random)),
    context: {
      'aws:SecureTransport': pick(['true', 'false']),
      'aws:CurrentTime': pick(['2026-11-22T05:00:00Z', '2020-01-01T00:00:00Z']),
      ...(once(4) ? {} : { 'aws:SourceIp': pick(['10.1.2.3', '192.0.2.9', '2001:db8::5']) }),
      ...(once(2) ? {} : { 'aws:ResourceTag/team': pick(['alice', 'core', 'Core', '']) }),
      ...(once(2) ? {} : { 'aws:RequestTag/team': pick(['alice', 'core', '*']) }),
      ...(once(3) ? {} : { 'aws:TagKeys': random.times(3, () => pick(['team', 'stage', 'cost'])) }),
      ...(once(2) ? {} : { 'aws:MultiFactorAuthAge': pick(['10', '3600', '1.5']) }),
    },
  };
}

const TOKEN = { action: 'ecr:GetAuthorizationToken', resource: '*' };

function actionOnRepository({ pick }: Random) {
  const resource = `arn:aws:ecr:${pick(['us-east-1', 'eu-west-1'])}:${OWN}:repository/${pick(REPOSITORIES)}`;
  return { action: pick(ACTIONS), resource };
}

/** Policies of the caller and of the repository always, of registry and session at times. */
export function randomPolicies(random: Random): PolicyDrafts & { identity: Draft[]; repository: Draft[] } {
  const { times, once } = random;
  return {
    identity: [identityStatement(random), ...times(2, () => identityStatement(random))],
    repository: [resourceStatement(random), ...times(2, () => resourceStatement(random))],
    ...(once(4) && { registry: [resourceStatement(random, true)] }),
    ...(once(6) && { session: [identityStatement(random), ...times(1, () => identityStatement(random))] }),
  };
}

const ACTIONS = ['ecr:BatchGetImage', 'ecr:PutImage', 'ecr:TagResource', 'ecr:DescribeImages'];
const ACTION_PATTERNS = [
  ...ACTIONS,
  'ecr:*',
  '*',
  'ecr:Batch*',
  'ECR:put*',
  'ecr:*Image?',
  'ecr:*Resource',
  'ecr:?utImage',
];
const REPOSITORIES = ['team/app', 'alice/app', 'alice', 'core'];
const OWN_NAME = variable('aws:username');
const RESOURCE_PATTERNS = [
  '*',
  `arn:aws:ecr:us-east-1:${OWN}:repository/team/app`,
  `arn:aws:ecr:*:${OWN}:repository/*`,
  'arn:aws:ecr:*:*:repository/alice/*',
  'arn:aws:ecr:us-????-1:*:repository/*/app',
  `arn:aws:ecr:*:*:repository/${OWN_NAME}/*`,
  `arn:aws:ecr:*:*:repository/${variable('aws:username', 'core')}`,
  `arn:aws:ecr:*:${FOREIGN}:repository/*`,
  'arn:aws:ecr:eu-*:*:*',
];
const NAMES = [alice.arn, bob.arn, ROLE, builder.arn, root.arn, foreignRoot.arn, OWN, FOREIGN];

function identityStatement(random: Random): Draft {
  return { ...effectAndActions(random), ...resources(random), ...conditions(random) };
}

function resourceStatement(random: Random, needsResource = false): Draft {
  const base = effectAndActions(random);
  const isNegated = base.Effect === 'Deny' && random.once(3);
  const principal = random.once(4)
    ? random.pick(['*', { AWS: '*' }, { Service: 'ecs.amazonaws.com' }])
    : { AWS: [random.pick(NAMES), ...random.times(2, () => random.pick(NAMES))] };
  return {
    ...base,
    [isNegated ? 'NotPrincipal' : 'Principal']: principal,
    ...((needsResource || random.once(3)) && resources(random)),
    ...conditions(random),
  };
}

function effectAndActions({ once, pick, times }: Random): Draft {
  const patterns = [pick(ACTION_PATTERNS), ...times(2, () => pick(ACTION_PATTERNS))];
  return {
    Effect: once(3) ? 'Deny' : 'Allow',
    [once(6) ? 'NotAction' : 'Action']: patterns.length === 1 ? patterns[0] : patterns,
  };
}

function resources({ once, pick, times }: Random): Draft {
  const patterns = [pick(RESOURCE_PATTERNS), ...times(2, () => pick(RESOURCE_PATTERNS))];
  return { [once(6) ? 'NotResource' : 'Resource']: patterns };
}

type Operand = readonly [operators: readonly string[], keys: readonly string[], values: readonly (string | boolean)[]];

const OPERANDS: readonly Operand[] = [
  [
    'StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike'.split(' '),
    ['aws:ResourceTag/team', 'aws:RequestTag/team', 'aws:username', 'aws:PrincipalAccount', 'aws:PrincipalType'],
    ['alice', 'core', 'a*', '*', '?ore', OWN_NAME, OWN, 'User', variable('*'), variable('aws:RequestTag/team')],
  ],
  [
    'ArnEquals ArnLike ArnNotEquals ArnNotLike'.split(' '),
    ['aws:PrincipalArn'],
    [alice.arn, ROLE, `arn:aws:iam::${OWN}:*`, 'arn:aws:iam::*:user/*', `arn:aws:iam::*:user/*${OWN_NAME}`],
  ],
  [['Bool'], ['aws:SecureTransport'], ['true', 'false']],
  [['IpAddress', 'NotIpAddress'], ['aws:SourceIp'], ['10.0.0.0/8', '192.0.2.9', '2001:db8::/32', '0.0.0.0/0']],
  [
    'Equals NotEquals LessThan LessThanEquals GreaterThan GreaterThanEquals'.split(' ').map((name) => `Date${name}`),
    ['aws:CurrentTime'],
    ['2026-11-22T05:00:00Z', '2025-01-01T00:00:00Z'],
  ],
  [
    'Equals NotEquals LessThan LessThanEquals GreaterThan GreaterThanEquals'.split(' ').map((name) => `Numeric${name}`),
    ['aws:MultiFactorAuthAge'],
    ['10', '3600', '1.5'],
  ],
  [['Null'], ['aws:username', 'aws:ResourceTag/team', 'aws:SourceIp', 'aws:TagKeys'], ['true', 'false']],
];
const SETS = ['ForAnyValue:', 'ForAllValues:', ''];
const SET_OPERATORS = ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringEqualsIgnoreCase'];

function conditions(random: Random): Draft {
  const { once, times, pick } = random;
  if (once(2)) return {};
  const element: Record<string, Record<string, unknown>> = {};
  for (const [operator, key, values] of [
    pick(CONDITION_MAKERS)(random),
    ...times(1, () => pick(CONDITION_MAKERS)(random)),
  ]) {
    element[operator] = { ...element[operator], [key]: values };
  }
  return { Condition: element };
}

const CONDITION_MAKERS: readonly ((random: Random) => readonly [operator: string, key: string, values: unknown])[] = [
  ({ pick, once, times }) => {
    const [operators, keys, values] = pick(OPERANDS);
    const operator = pick(operators);
    const ifExists = operator !== 'Null' && once(5) ? 'IfExists' : '';
    return [`${operator}${ifExists}`, pick(keys), [pick(values), ...times(1, () => pick(values))]];
  },
  ({ pick, once, times }) => [
    `${pick(SETS)}${pick(SET_OPERATORS)}${once(6) ? 'IfExists' : ''}`,
    'aws:TagKeys',
    [pick(['team', 's*', 'cost']), ...times(2, () => pick(['team', 'stage', '*']))],
  ],
];
