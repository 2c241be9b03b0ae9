import { PolicyError } from './policy-error.ts';
import type { ContextKeys } from './templates.ts';

/** Who is asking, as policies speak of it. */
export interface PolicyPrincipal {
  /** `federated`: who shows a token of an identity provider; named by trust policies alone. */
  readonly kind: 'root' | 'user' | 'assumed-role' | 'federated' | 'anonymous';
  /**
   * `arn:aws:iam::A:root`, `arn:aws:iam::A:user/PATH/NAME`, `arn:aws:sts::A:assumed-role/ROLE/SESSION`, of a federated one the
   * identity provider's; empty for an anonymous one.
   */
  readonly arn: string;
  /** Twelve digits. */
  readonly accountId: string;
  readonly userId: string;
  /** Of a user. */
  readonly userName?: string;
  /** Of an assumed role: `arn:aws:iam::A:role/PATH/NAME`. Without it, a role without a path is concluded from the session's ARN. */
  readonly roleArn?: string;
}

/** A `Principal` or `NotPrincipal` element, compiled. */
export interface PrincipalElement {
  readonly isNegated: boolean;
  /** As the policy spells them, for traces. */
  readonly sources: readonly string[];
  /** `"*"` or `{"AWS": "*"}`. */
  readonly isAnyone: boolean;
  /** Accounts, named by id or by the ARN of their root. */
  readonly accountIds: ReadonlySet<string>;
  /** Users, roles, sessions and identity providers. Services are never callers, so they are not kept. */
  readonly arns: ReadonlySet<string>;
}

/**
 * How an element names a caller: `direct` by itself (or as anyone), `account` only through its account, which delegates to that
 * account's own policies (IAM user guide, "AWS JSON policy elements: Principal", "AWS account principals").
 */
export type PrincipalMatch = 'direct' | 'account' | 'none';

export function matchPrincipal(element: PrincipalElement, principal: PolicyPrincipal): PrincipalMatch {
  if (element.isNegated) return isExempt(element, principal) ? 'none' : 'direct';
  if (element.isAnyone) return 'direct';
  if (isNamed(element, principal)) return 'direct';
  return hasAccount(principal) && element.accountIds.has(principal.accountId) ? 'account' : 'none';
}

/** The condition keys that follow from who is asking (IAM user guide, "Principal key values"). */
export function principalContext(principal: PolicyPrincipal): ContextKeys {
  const { kind, accountId, userId, userName } = principal;
  const context = new Map<string, string>([['aws:principaltype', PRINCIPAL_TYPES[kind]]]);
  if (!hasAccount(principal)) return context;
  context.set('aws:principalarn', roleArnOf(principal) ?? principal.arn);
  context.set('aws:principalaccount', accountId);
  context.set('aws:userid', userId);
  if (userName !== undefined) context.set('aws:username', userName);
  return context;
}

/** Compiles a `Principal` or `NotPrincipal` element. Throws PolicyError. */
export function parsePrincipals(element: unknown, isNegated: boolean, kind: 'resource' | 'trust'): PrincipalElement {
  const accountIds = new Set<string>();
  const arns = new Set<string>();
  const named = namesOf(element);
  for (const [type, name] of named) {
    const accountId = type === 'AWS' ? accountOf(name) : undefined;
    if (accountId !== undefined) accountIds.add(accountId);
    else if (isPrincipalName(type, name, kind)) arns.add(name);
    else throw new PolicyError(`'${type}': '${name}' is not a principal`);
  }
  const isAnyone = named.some(([type, name]) => type === 'AWS' && name === '*');
  return { isNegated, sources: named.map(([, name]) => name), isAnyone, accountIds, arns };
}

const PRINCIPAL_TYPES: Readonly<Record<PolicyPrincipal['kind'], string>> = {
  root: 'Account',
  user: 'User',
  'assumed-role': 'AssumedRole',
  federated: 'FederatedUser',
  anonymous: 'Anonymous',
};

function hasAccount({ kind }: PolicyPrincipal): boolean {
  return kind === 'root' || kind === 'user' || kind === 'assumed-role';
}

function isNamed({ arns, accountIds }: PrincipalElement, principal: PolicyPrincipal): boolean {
  if (principal.kind === 'anonymous') return false;
  if (principal.kind === 'root') return accountIds.has(principal.accountId);
  const roleArn = roleArnOf(principal);
  return arns.has(principal.arn) || (roleArn !== undefined && arns.has(roleArn));
}

/**
 * Who is named keeps out of a Deny with NotPrincipal. The account alone does not exempt its users and roles: the examples name
 * both (IAM user guide, "NotPrincipal").
 */
function isExempt(element: PrincipalElement, principal: PolicyPrincipal): boolean {
  return element.isAnyone || isNamed(element, principal);
}

const SESSION_ARN = /^arn:([a-z-]+):sts::([0-9]{12}):assumed-role\/([^/]+)\/[^/]+$/;

function roleArnOf({ kind, arn, roleArn }: PolicyPrincipal): string | undefined {
  if (kind !== 'assumed-role' || roleArn !== undefined) return roleArn;
  const [, partition, accountId, role] = SESSION_ARN.exec(arn) ?? [];
  return role === undefined ? undefined : `arn:${partition}:iam::${accountId}:role/${role}`;
}

const TYPES = ['AWS', 'Service', 'Federated'];

/** `"*"`, or `{ type: name | [name] }`, as pairs of type and name. */
function namesOf(element: unknown): [type: string, name: string][] {
  if (element === '*') return [['AWS', '*']];
  if (typeof element !== 'object' || element === null || Array.isArray(element))
    throw new PolicyError(`A principal is "*" or an object such as {"AWS": "…"}`);
  const names = Object.entries(element).flatMap(([type, value]) => {
    if (!TYPES.includes(type)) throw new PolicyError(`'${type}' is not a type of principal; ${TYPES.join(', ')} are`);
    const list: unknown[] = Array.isArray(value) ? value : [value];
    return list.map((name): [string, string] => {
      if (typeof name !== 'string') throw new PolicyError(`Principal ${type} must be a text or a list of texts`);
      return [type, name];
    });
  });
  if (names.length === 0) throw new PolicyError('A principal element names nobody');
  return names;
}

const ROOT_ARN = /^arn:aws[a-z-]*:iam::([0-9]{12}):root$/;
const IDENTITY_ARN =
  /^arn:aws[a-z-]*:(iam::[0-9]{12}:(user|role)\/([!-~]+\/)?[\w+=,.@-]+|sts::[0-9]{12}:(assumed-role\/[\w+=,.@-]+|federated-user)\/[\w+=,.@-]+)$/;
const SERVICE = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/;
const PROVIDER = /^(arn:aws[a-z-]*:iam::[0-9]{12}:(oidc|saml)-provider\/[!-~]+|[a-z0-9-]+(\.[a-z0-9-]+)+)$/;

function accountOf(name: string): string | undefined {
  return /^[0-9]{12}$/.test(name) ? name : ROOT_ARN.exec(name)?.[1];
}

/** Wildcards stand alone: a part of a principal's name cannot be one (IAM user guide, "Principal"). */
function isPrincipalName(type: string, name: string, kind: 'resource' | 'trust'): boolean {
  if (type === 'AWS') return name === '*' || (IDENTITY_ARN.test(name) && !/[*?]/.test(name));
  if (type === 'Service') return SERVICE.test(name);
  return kind === 'trust' && PROVIDER.test(name) && !/[*?]/.test(name);
}
