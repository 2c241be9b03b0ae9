import type { ContextKeys } from '../../src/core/access/policy/templates.ts';
import type { PolicyRequest } from '../../src/core/access/policy/trace.ts';
import { type Draft, type PolicyDrafts, variable } from './policy-under-test.ts';

/**
 * Where the simulator decides otherwise than we do, and why we stay with ours. Each is written as what the simulator must be
 * told so that it decides as we do; with all of them told, no difference is left.
 */
export interface Difference {
  readonly name: string;
  readonly why: string;
  readonly tell: (drafts: PolicyDrafts, request: PolicyRequest, version: string) => PolicyDrafts;
}

export const differences: readonly Difference[] = [
  {
    name: 'a registry admits nobody without credentials',
    why: 'Our own rule: with anonymous pulls on, a repository becomes public by its own policy alone. AWS has no anonymous callers.',
    tell: (drafts, { principal }) =>
      principal.kind === 'anonymous' && drafts.registry
        ? { ...drafts, registry: drafts.registry.filter(({ Effect }) => Effect === 'Deny') }
        : drafts,
  },
  {
    name: 'the root may do everything in its account',
    why: 'IAM user guide, "Policy evaluation logic": all is denied by default, but for the root user, who has full access. The simulator gives it none.',
    tell: (drafts, { principal }) =>
      principal.kind === 'root' ? { ...drafts, identity: [...(drafts.identity ?? []), ALLOW_ALL] } : drafts,
  },
  {
    name: 'no policy of a resource gives an authorization token',
    why: 'ECR user guide, "Repository policies": GetAuthorizationToken takes no resource. The simulator lets any resource policy allow it.',
    tell: (drafts, { action }) =>
      action === 'ecr:GetAuthorizationToken' ? ofResources(drafts, (statement) => statement.Effect === 'Deny') : drafts,
  },
  {
    name: 'an account in NotPrincipal does not exempt its users and roles',
    why: 'IAM user guide, "NotPrincipal": the examples name the account and the user, and deny the account’s other users. The simulator exempts all.',
    tell: (drafts, { principal }) => (principal.kind === 'root' ? drafts : onStatements(drafts, withoutAccounts)),
  },
  {
    name: 'variables are plain text in documents of 2008-10-17',
    why: 'IAM user guide, "Version". The simulator puts values in whatever the version.',
    tell: (drafts, _, version) =>
      version === '2008-10-17'
        ? (JSON.parse(JSON.stringify(drafts).replaceAll(`$\{`, `$\{$}{`)) as PolicyDrafts)
        : drafts,
  },
  {
    name: 'NotResource with a variable without a value, of an action that takes no resource',
    why: 'IAM user guide, "Variables and tags": such a statement is invalid, so it does not apply. The simulator agrees for ARNs, and not for "*".',
    tell: (drafts, { resource, context }) => {
      const isInvalid = ({ NotResource }: Draft) =>
        !context.has('aws:username') && JSON.stringify(NotResource ?? '').includes(variable('aws:username'));
      return resource === '*' ? onLists(drafts, (statements) => statements.filter((one) => !isInvalid(one))) : drafts;
    },
  },
  {
    name: 'IfExists holds when the key is absent, with ForAnyValue too',
    why: 'IAM user guide, "…IfExists": if the key is not present, the condition element is true. The simulator says false.',
    tell: (drafts, { context }) =>
      onConditions(drafts, (operator, key, values) => existing(operator, key, values, context)),
  },
  {
    name: 'a list without values is null',
    why: 'IAM user guide, "Null": false wants the key to exist with a value that is not null. To the simulator the key is enough.',
    tell: (drafts, { context }) =>
      onConditions(drafts, (operator, key, values) => [
        [operator, key, operator === 'Null' && isEmptyList(context, key) ? values.map(opposite) : values],
      ]),
  },
  {
    name: 'a list without ForAnyValue or ForAllValues',
    why: 'IAM leaves open what it does. Ours wants every value to hold and one to be there; the simulator never matches a list.',
    tell: (drafts, { context }) =>
      onConditions(drafts, (operator, key, values) => qualified(operator, key, values, context)),
  },
  {
    name: 'a range of all addresses',
    why: '0.0.0.0/0 holds every IPv4 address. To the simulator it holds none.',
    tell: (drafts) => onValues(drafts, (value) => (value === '0.0.0.0/0' ? ['0.0.0.0/1', '128.0.0.0/1'] : [value])),
  },
  {
    name: 'a single address of the other family is another address',
    why: 'So NotIpAddress holds. The simulator says that it does not, though of ranges it does: a Deny for all but one IPv4 address would let IPv6 in.',
    tell: (drafts, { context }) =>
      onValues(drafts, (value) => (isOtherFamily(value, context.get('aws:sourceip')) ? [outside(value)] : [value])),
  },
];

const ALLOW_ALL: Draft = { Effect: 'Allow', Action: '*', Resource: '*' };

function ofResources(drafts: PolicyDrafts, keep: (statement: Draft) => boolean): PolicyDrafts {
  return {
    ...drafts,
    ...(drafts.repository && { repository: drafts.repository.filter(keep) }),
    ...(drafts.registry && { registry: drafts.registry.filter(keep) }),
  };
}

function onLists(drafts: PolicyDrafts, change: (statements: readonly Draft[]) => readonly Draft[]): PolicyDrafts {
  return Object.fromEntries(Object.entries(drafts).map(([kind, statements]) => [kind, change(statements)]));
}

function onStatements(drafts: PolicyDrafts, change: (statement: Draft) => Draft): PolicyDrafts {
  return onLists(drafts, (statements) => statements.map(change));
}

type Values = readonly string[];
type Conditions = readonly (readonly [operator: string, key: string, values: Values])[];

/** A condition becomes any number of them; all must hold, as they did. */
function onConditions(drafts: PolicyDrafts, change: (operator: string, key: string, values: Values) => Conditions) {
  return onStatements(drafts, (statement) => {
    if (!statement.Condition) return statement;
    const element: Record<string, Record<string, Values>> = {};
    for (const [operator, keys] of Object.entries(statement.Condition as Record<string, Record<string, Values>>)) {
      for (const [key, values] of Object.entries(keys)) {
        for (const [to, toKey, toValues] of change(operator, key, values)) {
          element[to] = { ...element[to], [toKey]: toValues };
        }
      }
    }
    return { ...statement, Condition: element };
  });
}

function onValues(drafts: PolicyDrafts, change: (value: string) => Values): PolicyDrafts {
  return onConditions(drafts, (operator, key, values) => [
    [operator, key, operator.includes('IpAddress') ? values.flatMap(change) : values],
  ]);
}

const NOBODY = 'arn:aws:iam::333333333333:user/nobody';

function withoutAccounts(statement: Draft): Draft {
  const { NotPrincipal: names } = statement;
  if (typeof names !== 'object' || names === null || !('AWS' in names) || !Array.isArray(names.AWS)) return statement;
  const named = names.AWS.filter((name: string) => !/^[0-9]{12}$|:root$/.test(name));
  return { ...statement, NotPrincipal: { AWS: named.length > 0 ? named : [NOBODY] } };
}

function existing(operator: string, key: string, values: Values, context: ContextKeys): Conditions {
  if (!operator.startsWith('ForAnyValue:') || !operator.endsWith('IfExists')) return [[operator, key, values]];
  return context.has(key.toLowerCase()) ? [[operator.replace(/IfExists$/, ''), key, values]] : [];
}

function qualified(operator: string, key: string, values: Values, context: ContextKeys): Conditions {
  const isList = Array.isArray(context.get(key.toLowerCase()));
  if (!isList || operator.includes(':') || operator === 'Null') return [[operator, key, values]];
  // In lower case it is an entry of its own: the statement may ask ForAllValues of this key already.
  return [
    [`ForAllValues:${operator.toLowerCase()}`, key, values],
    ['null', key, [String(isEmptyList(context, key))]],
  ];
}

function isEmptyList(context: ContextKeys, key: string): boolean {
  const value = context.get(key.toLowerCase());
  return value !== undefined && typeof value !== 'string' && value.length === 0;
}

function opposite(value: string): string {
  return value === 'true' ? 'false' : 'true';
}

function isOtherFamily(value: string, source: string | readonly string[] | undefined): boolean {
  return typeof source === 'string' && value.includes(':') !== source.includes(':');
}

/** Of the other family than the value, and no address of the generated requests. */
function outside(value: string): string {
  return value.includes(':') ? '198.51.100.1/32' : '2001:db8:ffff::1/128';
}
