import { RULES_BY_MEMBER, RULES_BY_SHAPE, type Rule } from './constraint-rules.ts';
import type { Member, Shape, StructureShape } from './shapes.ts';

/** A constraint that a request breaks: the member as ECR names it, and what it should have been in ECR's wording. */
export interface Violation {
  readonly parameter: string;
  readonly constraint: string;
}

/**
 * The first constraint that the members of a structure break, in the order of the model: what is required, bounds, enum,
 * pattern, then what lies within. Undefined when all is well.
 */
export function findViolation(
  shape: StructureShape,
  input: Readonly<Record<string, unknown>>,
  path = '',
): Violation | undefined {
  for (const member of shape.members) {
    const rule = RULES_BY_SHAPE[shape.name]?.[member.name] ?? RULES_BY_MEMBER[member.name] ?? {};
    // ECR names members inside lists in lower camel case, also the Key and Value of a tag.
    const parameter = path === '' ? member.name : `${path}.${member.name[0]?.toLowerCase()}${member.name.slice(1)}`;
    const found = memberViolation(member, rule, input[member.name], parameter);
    if (found !== undefined) return found;
  }
  return undefined;
}

function memberViolation(member: Member, rule: Rule, value: unknown, parameter: string): Violation | undefined {
  if (value === undefined) {
    return member.required ? { parameter, constraint: worded(rule, 'must not be null') } : undefined;
  }
  const broken = brokenRule(rule, value);
  if (broken !== undefined) return { parameter, constraint: worded(rule, broken) };
  return violationWithin(member.shape, rule, value, parameter);
}

function violationWithin(shape: Shape, rule: Rule, value: unknown, parameter: string): Violation | undefined {
  if (shape.kind === 'structure') return findViolation(shape, value as Record<string, unknown>, parameter);
  if (shape.kind !== 'list') return undefined;
  for (const [index, element] of (value as unknown[]).entries()) {
    const broken = brokenRule(rule.element ?? {}, element);
    if (broken !== undefined) return { parameter, constraint: `Member must satisfy constraint: [Member ${broken}]` };
    const within = violationWithin(shape.element, {}, element, `${parameter}.${index + 1}.member`);
    if (within !== undefined) return within;
  }
  return undefined;
}

function worded(rule: Rule, constraint: string): string {
  return rule.terse ? constraint : `Member ${constraint}`;
}

function brokenRule(rule: Rule, value: unknown): string | undefined {
  if (typeof value === 'number') return brokenValue(rule, value);
  if (typeof value === 'string') return brokenLength(rule, value.length) ?? brokenText(rule, value);
  return Array.isArray(value) ? brokenLength(rule, value.length) : undefined;
}

function brokenValue({ valueMin, valueMax }: Rule, value: number): string | undefined {
  if (valueMin !== undefined && value < valueMin) return `must have value greater than or equal to ${valueMin}`;
  if (valueMax !== undefined && value > valueMax) return `must have value less than or equal to ${valueMax}`;
  return undefined;
}

function brokenLength({ lengthMin, lengthMax }: Rule, length: number): string | undefined {
  if (lengthMin !== undefined && length < lengthMin) return `must have length greater than or equal to ${lengthMin}`;
  if (lengthMax !== undefined && length > lengthMax) return `must have length less than or equal to ${lengthMax}`;
  return undefined;
}

function brokenText(rule: Rule, text: string): string | undefined {
  // No pattern of ECR's lets it in, and where there is none not every store could keep it.
  if (text.includes('\0')) return 'must not contain the character U+0000';
  if (rule.oneOf !== undefined && !rule.oneOf.includes(text)) {
    return `must satisfy enum value set: [${rule.oneOf.join(', ')}]`;
  }
  if (rule.pattern === undefined || wholeMatch(rule.linearPattern ?? rule.pattern).test(text)) return undefined;
  return rule.terse
    ? `must satisfy regular expression '${rule.pattern}'`
    : `must satisfy regular expression pattern: ${rule.pattern}`;
}

const compiled = new Map<string, RegExp>();

/** No flag: the published patterns escape what the u and v flags forbid to escape. */
function wholeMatch(pattern: string): RegExp {
  const known = compiled.get(pattern) ?? new RegExp(`^(?:${pattern})$`);
  compiled.set(pattern, known);
  return known;
}
