import { duplicateMember } from './json-members.ts';
import { PolicyError } from './policy-error.ts';
import { type PolicyKind, parseStatement, type Statement } from './statement.ts';

export { PolicyError } from './policy-error.ts';

/** A policy, checked and compiled: what costs time was done once, so that a decision is cheap. */
export interface PolicyDocument {
  readonly kind: PolicyKind;
  readonly version: '2012-10-17' | '2008-10-17';
  readonly id?: string;
  readonly statements: readonly Statement[];
  /** Whether what it says depends on nothing but principal, action and resource: no condition, no policy variable. */
  readonly isUnconditional: boolean;
}

export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/** Checks and compiles a policy. Throws PolicyError, whose message says what is wrong and where. */
export function parsePolicy(text: string, kind: PolicyKind): PolicyDocument {
  checkLength(text, kind);
  const members = membersOf(text);
  const version = members.get('Version') ?? '2008-10-17';
  if (version !== '2012-10-17' && version !== '2008-10-17')
    throw new PolicyError('The Version must be 2012-10-17 or 2008-10-17');
  const id = members.get('Id');
  if (id !== undefined && typeof id !== 'string') throw new PolicyError('The Id must be a text');
  const element = members.get('Statement');
  const list: unknown[] = Array.isArray(element) ? element : [element];
  if (element === undefined || list.length === 0) throw new PolicyError('The document has no Statement');
  const statements = list.map((statement, index) => numbered(statement, index + 1, kind, version === '2012-10-17'));
  if (kind === 'identity' || kind === 'trust') checkUniqueSids(statements);
  const isUnconditional = statements.every(
    ({ conditions, resources }) =>
      conditions.length === 0 && !resources?.sources.some((source) => source.includes('${')),
  );
  return { kind, version, ...(id !== undefined && { id }), statements, isUnconditional };
}

/**
 * Characters, of identity and trust policies without white space (IAM user guide, "IAM and AWS STS quotas"; ECR API,
 * RepositoryPolicyText and RegistryPolicyText).
 */
const CHARACTERS_MAX: Readonly<Record<PolicyKind, number>> = {
  identity: 6144,
  repository: 10_240,
  registry: 10_240,
  trust: 4096,
};
/** White space is free to IAM, but not without end (IAM API, PolicyDocument). */
const RAW_CHARACTERS_MAX = 131_072;

function checkLength(text: string, kind: PolicyKind): void {
  const max = CHARACTERS_MAX[kind];
  if (text.length <= max) return;
  const isSpaceFree = (kind === 'identity' || kind === 'trust') && text.length <= RAW_CHARACTERS_MAX;
  if (isSpaceFree && text.replace(/\s+/g, '').length <= max) return;
  throw new PolicyError(`The document is longer than ${max} characters`);
}

function membersOf(text: string): ReadonlyMap<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new PolicyError(`The document is not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new PolicyError('The document is not a JSON object');
  const duplicate = duplicateMember(text);
  if (duplicate !== undefined) throw new PolicyError(`The document has the member '${duplicate}' twice in one object`);
  const members = new Map<string, unknown>(Object.entries(parsed));
  for (const name of members.keys())
    if (!MEMBERS.has(name)) throw new PolicyError(`The document has an unknown member '${name}'`);
  return members;
}

const MEMBERS = new Set(['Version', 'Id', 'Statement']);

function numbered(element: unknown, number: number, kind: PolicyKind, variables: boolean): Statement {
  try {
    return parseStatement(element, number, kind, variables);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new PolicyError(`Statement ${number}: ${error.message}`);
  }
}

function checkUniqueSids(statements: readonly Statement[]): void {
  const seen = new Set<string>();
  for (const { sid, number } of statements) {
    if (sid === undefined || sid === '') continue;
    if (seen.has(sid)) throw new PolicyError(`Statement ${number}: another one has the Sid '${sid}'`);
    seen.add(sid);
  }
}
