import type { AssumeRoleInput } from '../../core/access/assume-role.ts';
import { validationError } from './errors.ts';

/** STS API reference, AssumeRole, RoleArn and Policy. */
const LENGTHS = { RoleArn: [20, 2048], Policy: [1, 2048], WebIdentityToken: [4, 20_000] } as const;

/**
 * What both ways of assuming a role take. Throws StsError (ValidationError). Policies by ARN are refused, not passed over: who
 * sends them counts on a session that may do less. Tags, an external id and MFA make no difference here but to conditions of trust
 * policies, which then do not hold.
 */
export function roleParameters(query: URLSearchParams): AssumeRoleInput {
  const roleArn = requiredParameter(query, 'RoleArn');
  const sessionName = requiredParameter(query, 'RoleSessionName');
  const sessionPolicy = checkedLength('Policy', query.get('Policy') ?? undefined);
  const seconds = secondsIn(query);
  if ([...query.keys()].some((name) => name.startsWith('PolicyArns.'))) {
    throw validationError('PolicyArns is not taken by this server; send the document as Policy');
  }
  return {
    roleArn,
    sessionName,
    ...(seconds !== undefined && { seconds }),
    ...(sessionPolicy !== undefined && { sessionPolicy }),
  };
}

export function requiredParameter(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value !== null) return checkedLength(name, value);
  throw broken(name, ' null', 'Member must not be null');
}

function secondsIn(query: URLSearchParams): number | undefined {
  const text = query.get('DurationSeconds');
  if (text === null) return undefined;
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw broken('DurationSeconds', '', 'Member must be an integer');
}

function checkedLength<T extends string | undefined>(name: string, value: T): T {
  const [min, max] = (LENGTHS as Readonly<Record<string, readonly [number, number]>>)[name] ?? [0, Infinity];
  if (value === undefined || (value.length >= min && value.length <= max)) return value;
  const [bound, limit] = value.length < min ? ['greater', min] : ['less', max];
  throw broken(name, '', `Member must have length ${bound} than or equal to ${limit}`);
}

/** The value is not repeated: it may be a token. */
function broken(name: string, value: string, constraint: string) {
  const member = `${name[0]?.toLowerCase()}${name.slice(1)}`;
  return validationError(
    `1 validation error detected: Value${value} at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}
