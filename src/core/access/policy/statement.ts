import { type Condition, parseConditions } from './conditions.ts';
import { compileActionPattern, compileResourcePattern, type Pattern } from './patterns.ts';
import { PolicyError } from './policy-error.ts';
import { type PrincipalElement, parsePrincipals } from './principals.ts';

/** What a document is attached to: it decides which elements a statement must and must not have. */
export type PolicyKind = 'identity' | 'repository' | 'registry' | 'trust';

/** `Action` or `NotAction`, `Resource` or `NotResource`, compiled. */
export interface PatternElement {
  readonly isNegated: boolean;
  readonly patterns: readonly Pattern[];
  /** As the policy spells them, for traces. */
  readonly sources: readonly string[];
}

export interface Statement {
  /** Counted from 1, as messages do. */
  readonly number: number;
  readonly sid?: string;
  readonly effect: 'Allow' | 'Deny';
  /** Absent from identity policies: they speak of whoever they are attached to. */
  readonly principals?: PrincipalElement;
  readonly actions: PatternElement;
  /** Absent where the policy's resource is meant: in trust policies, and in repository policies that do not say. */
  readonly resources?: PatternElement;
  readonly conditions: readonly Condition[];
}

/**
 * Compiles a statement. Throws PolicyError.
 *
 * @param element as parsed from JSON
 * @param variables whether `${…}` are policy variables
 */
export function parseStatement(element: unknown, number: number, kind: PolicyKind, variables: boolean): Statement {
  if (typeof element !== 'object' || element === null || Array.isArray(element))
    throw new PolicyError('must be an object');
  const members = new Map<string, unknown>(Object.entries(element));
  for (const name of members.keys()) if (!MEMBERS.has(name)) throw new PolicyError(`has an unknown member '${name}'`);

  const sid = sidOf(members.get('Sid'), kind);
  const effect = members.get('Effect');
  if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyError('needs an Effect, Allow or Deny');
  const principals = principalsOf(members, kind, effect);
  const actions = patternsOf(members, 'Action', (source) => actionPattern(source, kind));
  if (actions === undefined) throw new PolicyError('needs an Action or a NotAction');
  const resources = patternsOf(members, 'Resource', (source) => resourcePattern(source, variables));
  checkResources(resources, kind);
  const conditions = members.has('Condition') ? parseConditions(members.get('Condition'), variables) : [];
  return {
    number,
    ...(sid !== undefined && { sid }),
    effect,
    ...(principals && { principals }),
    actions,
    ...(resources && { resources }),
    conditions,
  };
}

const MEMBERS = new Set('Sid Effect Principal NotPrincipal Action NotAction Resource NotResource Condition'.split(' '));

/** ECR takes any text and the same one twice; IAM letters and digits alone (IAM user guide, "Sid"). */
function sidOf(sid: unknown, kind: PolicyKind): string | undefined {
  if (sid === undefined) return undefined;
  if (typeof sid !== 'string') throw new PolicyError('has a Sid that is not a text');
  const isStrict = kind === 'identity' || kind === 'trust';
  if (isStrict && !/^[A-Za-z0-9]*$/.test(sid))
    throw new PolicyError('has a Sid with other characters than letters and digits');
  return sid;
}

function principalsOf(
  members: ReadonlyMap<string, unknown>,
  kind: PolicyKind,
  effect: 'Allow' | 'Deny',
): PrincipalElement | undefined {
  const name = eitherOf(members, 'Principal');
  if (kind === 'identity') {
    if (name === undefined) return undefined;
    throw new PolicyError(`has a ${name}; an identity policy speaks of whoever it is attached to`);
  }
  if (name === undefined) throw new PolicyError('needs a Principal');
  const isNegated = name === 'NotPrincipal';
  if (isNegated && kind === 'trust') throw new PolicyError('has a NotPrincipal, which a trust policy cannot have');
  if (isNegated && effect === 'Allow')
    throw new PolicyError('has a NotPrincipal, which goes with the Effect Deny alone');
  return parsePrincipals(members.get(name), isNegated, kind === 'trust' ? 'trust' : 'resource');
}

function patternsOf(
  members: ReadonlyMap<string, unknown>,
  element: 'Action' | 'Resource',
  compile: (source: string) => Pattern,
): PatternElement | undefined {
  const name = eitherOf(members, element);
  if (name === undefined) return undefined;
  const value = members.get(name);
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new PolicyError(`has an empty ${name}`);
  const patterns = list.map((source) => {
    if (typeof source !== 'string') throw new PolicyError(`has a ${name} that is neither a text nor a list of texts`);
    return compile(source);
  });
  return { isNegated: name !== element, patterns, sources: patterns.map(({ source }) => source) };
}

function eitherOf<Name extends string>(
  members: ReadonlyMap<string, unknown>,
  name: Name,
): Name | `Not${Name}` | undefined {
  const negated = `Not${name}` as const;
  if (!members.has(negated)) return members.has(name) ? name : undefined;
  if (members.has(name)) throw new PolicyError(`has both ${name} and ${negated}`);
  return negated;
}

const ACTIONS: Readonly<Record<PolicyKind, RegExp>> = {
  identity: /^(\*|(\*|[a-z0-9-]+):[a-z0-9*?]+)$/i,
  repository: /^(\*|ecr:[a-z0-9*?]+)$/i,
  registry: /^(\*|ecr:[a-z0-9*?]+)$/i,
  trust: /^(\*|sts:[a-z0-9*?]+)$/i,
};

function actionPattern(source: string, kind: PolicyKind): Pattern {
  if (!ACTIONS[kind].test(source))
    throw new PolicyError(`has the action '${source}', which ${article(kind)} policy cannot have`);
  return compileActionPattern(source);
}

function resourcePattern(source: string, variables: boolean): Pattern {
  if (source !== '*' && !source.startsWith('arn:'))
    throw new PolicyError(`has the resource '${source}', which is neither an ARN nor '*'`);
  return compileResourcePattern(source, variables);
}

function checkResources(resources: PatternElement | undefined, kind: PolicyKind): void {
  if (kind === 'trust' && resources) throw new PolicyError('has a Resource; a trust policy speaks of its role');
  if ((kind === 'identity' || kind === 'registry') && !resources)
    throw new PolicyError('needs a Resource or a NotResource');
}

function article(kind: PolicyKind): string {
  return kind === 'identity' ? 'an identity' : `a ${kind}`;
}
