import { parseDate } from './dates.ts';
import { parseAddress, parseAddressRange, rangeHolds } from './ip-addresses.ts';
import { compileArnPattern, compileExactText, compileTextPattern } from './patterns.ts';
import type { ContextKeys } from './templates.ts';

/** A value of a policy's condition, compiled. Undefined when one of its policy variables has no value in this request. */
export type ConditionValue = (actual: string, context: ContextKeys) => boolean | undefined;

export interface ConditionOperator {
  /** As the documentation spells it. */
  readonly name: string;
  /** Whether it asks that no value matches; such an operator also holds when the key is absent. */
  readonly isNegated: boolean;
  /** What a value must be for this operator, for the message when it is not. */
  readonly values: string;
  /** Undefined when the policy's value is not of the operator's type. */
  compile(value: string, variables: boolean): ConditionValue | undefined;
}

/** The operator of this name, upper and lower case alike; without qualifier and `IfExists`. */
export function conditionOperator(name: string): ConditionOperator | undefined {
  return operators.get(name.toLowerCase());
}

const text = (ignoreCase: boolean) => (value: string, variables: boolean) =>
  compileExactText(value, variables, ignoreCase ? (text) => text.toLowerCase() : (text) => text).test;
const like = (value: string, variables: boolean) => compileTextPattern(value, variables).test;
const arn = (value: string, variables: boolean) => compileArnPattern(value, variables).test;

/** Types other than texts and ARNs take no policy variables (IAM user guide, "Condition operators"). */
function typed<T>(
  parse: (text: string) => T | undefined,
  holds: (actual: T, wanted: T) => boolean,
): ConditionOperator['compile'] {
  return (value) => {
    const wanted = parse(value);
    if (wanted === undefined) return undefined;
    return (actualText) => {
      const actual = parse(actualText);
      return actual !== undefined && holds(actual, wanted);
    };
  };
}

function parseNumber(value: string): number | undefined {
  return /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$/.test(value) ? Number(value) : undefined;
}

function parseBoolean(value: string): boolean | undefined {
  const word = value.toLowerCase();
  return word === 'true' || word === 'false' ? word === 'true' : undefined;
}

function parseBase64(value: string): string | undefined {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(value) ? Buffer.from(value, 'base64').toString('hex') : undefined;
}

const address: ConditionOperator['compile'] = (value) => {
  const range = parseAddressRange(value);
  if (range === undefined) return undefined;
  return (actualText) => {
    const actual = parseAddress(actualText);
    return actual !== undefined && rangeHolds(range, actual);
  };
};

const equals = (actual: unknown, wanted: unknown) => actual === wanted;

function ordered(prefix: string, values: string, parse: (text: string) => number | undefined): ConditionOperator[] {
  const operator = (name: string, isNegated: boolean, holds: (actual: number, wanted: number) => boolean) => ({
    name: prefix + name,
    isNegated,
    values,
    compile: typed(parse, holds),
  });
  return [
    operator('Equals', false, equals),
    operator('NotEquals', true, equals),
    operator('LessThan', false, (actual, wanted) => actual < wanted),
    operator('LessThanEquals', false, (actual, wanted) => actual <= wanted),
    operator('GreaterThan', false, (actual, wanted) => actual > wanted),
    operator('GreaterThanEquals', false, (actual, wanted) => actual >= wanted),
  ];
}

/** IAM user guide, "Condition operators". `Null` is not among them: it looks at the key's presence, not at its values. */
const operators = new Map(
  [
    { name: 'StringEquals', isNegated: false, values: 'a text', compile: text(false) },
    { name: 'StringNotEquals', isNegated: true, values: 'a text', compile: text(false) },
    { name: 'StringEqualsIgnoreCase', isNegated: false, values: 'a text', compile: text(true) },
    { name: 'StringNotEqualsIgnoreCase', isNegated: true, values: 'a text', compile: text(true) },
    { name: 'StringLike', isNegated: false, values: 'a text', compile: like },
    { name: 'StringNotLike', isNegated: true, values: 'a text', compile: like },
    { name: 'ArnEquals', isNegated: false, values: 'an ARN', compile: arn },
    { name: 'ArnNotEquals', isNegated: true, values: 'an ARN', compile: arn },
    { name: 'ArnLike', isNegated: false, values: 'an ARN', compile: arn },
    { name: 'ArnNotLike', isNegated: true, values: 'an ARN', compile: arn },
    { name: 'IpAddress', isNegated: false, values: 'an address or a CIDR range', compile: address },
    { name: 'NotIpAddress', isNegated: true, values: 'an address or a CIDR range', compile: address },
    { name: 'Bool', isNegated: false, values: 'true or false', compile: typed(parseBoolean, equals) },
    { name: 'BinaryEquals', isNegated: false, values: 'base64', compile: typed(parseBase64, equals) },
    ...ordered('Numeric', 'a number', parseNumber),
    ...ordered('Date', 'a date (ISO 8601 with a zone, or seconds since the epoch)', parseDate),
  ].map((operator): [string, ConditionOperator] => [operator.name.toLowerCase(), operator]),
);
