/**
 * As much of JSON Schema as a lifecycle policy takes, in the words of the validator that ECR uses: known of ECR itself are
 * those of missing and unknown properties, types, the least number and the branches; those of enumerations and bounds are
 * the validator's own.
 */
export type SchemaCheck = (value: unknown, place: string, findings: SchemaFinding[]) => void;

export interface SchemaFinding {
  /** Such as `rules[0].selection`. */
  readonly place: string;
  readonly message: string;
  /** What the message does not say. */
  readonly why?: string;
}

/** An object's members; a Map, because a document may have members named like those every object inherits. */
export type Members = ReadonlyMap<string, unknown>;

/** An object with these members and no others. */
export function object(required: Record<string, SchemaCheck>, optional: Record<string, SchemaCheck>): SchemaCheck {
  const checks = new Map(Object.entries({ ...required, ...optional }));
  const requiredNames = Object.keys(required).sort();
  return (value, place, findings) => {
    if (!isOfType(value, 'object', place, findings)) return;
    const members = membersOf(value);
    const missing = requiredNames.filter((name) => !members.has(name));
    if (missing.length > 0)
      findings.push({ place, message: `object has missing required properties (${shown(missing)})` });
    const unknown = [...members.keys()].filter((name) => !checks.has(name)).sort();
    if (unknown.length > 0)
      findings.push({
        place,
        message: `object instance has properties which are not allowed by the schema: ${shown(unknown)}`,
      });
    for (const [name, member] of members)
      checks.get(name)?.(member, place === '' ? name : `${place}.${name}`, findings);
  };
}

/** An array of so many elements, each checked. */
export function array(element: SchemaCheck, bounds: { elementsMin: number; elementsMax?: number }): SchemaCheck {
  return (value, place, findings) => {
    if (!isOfType(value, 'array', place, findings)) return;
    const { length } = value as unknown[];
    const { elementsMin, elementsMax = Number.POSITIVE_INFINITY } = bounds;
    if (length < elementsMin) {
      const message = `array is too short: must have at least ${elementsMin} elements but instance has ${length} elements`;
      findings.push({ place, message });
    } else if (length > elementsMax) {
      const message = `array is too long: must have at most ${elementsMax} elements but instance has ${length} elements`;
      findings.push({ place, message });
    } else (value as unknown[]).forEach((item, index) => void element(item, `${place}[${index}]`, findings));
  };
}

export function text({ charactersMin }: { charactersMin: number }): SchemaCheck {
  return (value, place, findings) => {
    if (!isOfType(value, 'string', place, findings)) return;
    const { length } = value as string;
    if (length >= charactersMin) return;
    const message = `string ${shown(value)} is too short (length: ${length}, required minimum: ${charactersMin})`;
    findings.push({ place, message });
  };
}

export function oneOfTexts(values: readonly string[]): SchemaCheck {
  return (value, place, findings) => {
    if (!isOfType(value, 'string', place, findings) || values.includes(value as string)) return;
    const message = `instance value (${shown(value)}) not found in enum (possible values: ${shown(values)})`;
    findings.push({ place, message });
  };
}

export function integer({ min, max }: { min: number; max: number }): SchemaCheck {
  return (value, place, findings) => {
    if (!isOfType(value, 'integer', place, findings)) return;
    if ((value as number) < min) {
      const message = `numeric instance is lower than the required minimum (minimum: ${min}, found: ${value})`;
      findings.push({ place, message });
    } else if ((value as number) > max) {
      const message = `numeric instance is greater than the required maximum (maximum: ${max}, found: ${value})`;
      findings.push({ place, message });
    }
  };
}

/**
 * An object that fits one of several branches besides; what is wrong by itself is said by itself, without the branches.
 *
 * @param why says why the members fit no branch; undefined when they fit one
 */
export function eitherOf(
  check: SchemaCheck,
  branches: number,
  why: (members: Members) => string | undefined,
): SchemaCheck {
  return (value, place, findings) => {
    const before = findings.length;
    check(value, place, findings);
    if (findings.length > before) return;
    const reason = why(membersOf(value));
    if (reason === undefined) return;
    const message = `instance failed to match exactly one schema (matched 0 out of ${branches})`;
    findings.push({ place, message, why: reason });
  };
}

function isOfType(value: unknown, wanted: string, place: string, findings: SchemaFinding[]): boolean {
  const type = typeOf(value);
  if (type === wanted) return true;
  const message = `instance type (${type}) does not match any allowed primitive type (allowed: ["${wanted}"])`;
  findings.push({ place, message });
  return false;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function membersOf(value: unknown): Members {
  return new Map(Object.entries(value as object));
}

const SHOWN_CHARACTERS_MAX = 200;

/** Texts and lists of texts alone: anything else may be nested without end. */
function shown(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length <= SHOWN_CHARACTERS_MAX ? json : `${json.slice(0, SHOWN_CHARACTERS_MAX)}…`;
}
