import { type ConditionValue, conditionOperator } from './condition-operators.ts';
import { PolicyError } from './policy-error.ts';
import type { ContextKeys } from './templates.ts';

/** One operator and key of a `Condition` element. All of a statement's must hold. */
export interface Condition {
  /** As the policy spells it, for example `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string;
  /** As the policy spells it. */
  readonly key: string;
  /** As the policy spells them. */
  readonly values: readonly string[];
  holds(context: ContextKeys): boolean;
}

/**
 * Compiles a `Condition` element: `{ operator: { key: value | [value] } }`. Throws PolicyError.
 *
 * @param element as parsed from JSON
 * @param variables whether `${…}` in values are policy variables
 */
export function parseConditions(element: unknown, variables: boolean): readonly Condition[] {
  return entriesOf(element, 'Condition').flatMap(([operator, keys]) =>
    entriesOf(keys, `Condition operator ${operator}`).map(([key, value]) =>
      parseCondition(operator, key, valuesOf(value, `${operator} ${key}`), variables),
    ),
  );
}

const OPERATOR = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/i;
/** `aws:SourceIp`, `aws:ResourceTag/team`, and `ISSUER:claim`, where the issuer has a host's name, perhaps a port and a path. */
const KEY = /^[\w.-][^\s:]*:\S.*$/;

function parseCondition(operator: string, key: string, values: readonly string[], variables: boolean): Condition {
  if (!KEY.test(key)) throw new PolicyError(`'${key}' is not a condition key`);
  const [, qualifier, base = '', ifExists] = OPERATOR.exec(operator) ?? [];
  const isBare = qualifier === undefined && ifExists === undefined;
  const from = { operator, key, values };
  const contextKey = key.toLowerCase();
  if (base.toLowerCase() === 'null' && isBare) return { ...from, holds: compileNull(contextKey, from) };

  const found = conditionOperator(base);
  if (found === undefined) throw new PolicyError(`'${operator}' is not a condition operator`);
  const compiled = values.map((value): ConditionValue => {
    const wanted = found.compile(value, variables);
    if (wanted === undefined) throw new PolicyError(`${operator} ${key} must be ${found.values}, not '${value}'`);
    return wanted;
  });
  const one = (actual: string, context: ContextKeys) => oneHolds(compiled, found.isNegated, actual, context);
  const set = qualifier?.toLowerCase();
  const absent = ifExists !== undefined || set === 'forallvalues' || (set === undefined && found.isNegated);
  return {
    ...from,
    holds(context) {
      const actual = context.get(contextKey);
      if (actual === undefined) return absent;
      if (typeof actual === 'string') return one(actual, context) || (set === 'forallvalues' && actual === '');
      return listHolds(actual, set, (value) => one(value, context));
    },
  };
}

/**
 * A list's values: `ForAnyValue` wants one that holds, `ForAllValues` that all do, also when there are none (IAM user guide,
 * "Set operators for multivalued context keys"). The guide says that a list needs one of the two; without, every value
 * must hold and there must be one.
 */
function listHolds(actual: readonly string[], set: string | undefined, one: (value: string) => boolean): boolean {
  if (set === 'foranyvalue') return actual.some(one);
  if (set === 'forallvalues') return actual.every(one);
  return actual.length > 0 && actual.every(one);
}

/**
 * Several values of the policy are alternatives; of a negated operator none may match (IAM user guide, "Conditions with multiple
 * context keys or values"). A variable without a value matches nothing, and what is said of it negated does not hold either.
 */
function oneHolds(
  values: readonly ConditionValue[],
  isNegated: boolean,
  actual: string,
  context: ContextKeys,
): boolean {
  let isUnresolved = false;
  for (const value of values) {
    const matches = value(actual, context);
    if (matches) return !isNegated;
    if (matches === undefined) isUnresolved = true;
  }
  return isNegated && !isUnresolved;
}

/** `Null`: `true` wants the key absent, `false` present with a value. */
function compileNull(contextKey: string, { key, values }: Pick<Condition, 'key' | 'values'>): Condition['holds'] {
  const wanted = values.map((value) => value.toLowerCase());
  const wrong = wanted.find((value) => value !== 'true' && value !== 'false');
  if (wrong !== undefined) throw new PolicyError(`Null ${key} must be true or false, not '${wrong}'`);
  return (context) => {
    const actual = context.get(contextKey);
    const isNull = actual === undefined || (typeof actual !== 'string' && actual.length === 0);
    return wanted.includes(String(isNull));
  };
}

function entriesOf(element: unknown, what: string): [string, unknown][] {
  if (typeof element === 'object' && element !== null && !Array.isArray(element)) return Object.entries(element);
  throw new PolicyError(`${what} must be an object`);
}

function valuesOf(element: unknown, what: string): readonly string[] {
  const values: unknown[] = Array.isArray(element) ? element : [element];
  if (values.length === 0) throw new PolicyError(`${what} has no value`);
  return values.map((value) => {
    if (typeof value === 'string') return value;
    if (typeof value === 'boolean' || typeof value === 'number') return String(value);
    throw new PolicyError(`${what} must be a text, a number, a boolean, or a list of them`);
  });
}
