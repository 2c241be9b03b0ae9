import { parsePolicy } from '../../src/core/access/policy/document.ts';
import type { ApplicablePolicies } from '../../src/core/access/policy/evaluate.ts';
import { type PolicyPrincipal, principalContext } from '../../src/core/access/policy/principals.ts';
import type { PolicyKind } from '../../src/core/access/policy/statement.ts';
import type { ContextKeys } from '../../src/core/access/policy/templates.ts';
import type { PolicyRequest } from '../../src/core/access/policy/trace.ts';

/** Statements as tests write them: what they leave out is `Allow ecr:BatchGetImage`, on `*` where a resource is needed. */
export type Draft = Readonly<Record<string, unknown>>;

export const OWN = '111111111111';
export const FOREIGN = '222222222222';
export const REPOSITORY = `arn:aws:ecr:us-east-1:${OWN}:repository/team/app`;
export const ROLE = `arn:aws:iam::${OWN}:role/ci/Builder`;

export const alice: PolicyPrincipal = {
  kind: 'user',
  arn: `arn:aws:iam::${OWN}:user/team/alice`,
  accountId: OWN,
  userId: 'AIDAALICE',
  userName: 'alice',
};
export const bob: PolicyPrincipal = {
  kind: 'user',
  arn: `arn:aws:iam::${FOREIGN}:user/bob`,
  accountId: FOREIGN,
  userId: 'AIDABOB',
  userName: 'bob',
};
export const builder: PolicyPrincipal = {
  kind: 'assumed-role',
  arn: `arn:aws:sts::${OWN}:assumed-role/Builder/run-1`,
  accountId: OWN,
  userId: 'AROABUILDER:run-1',
  roleArn: ROLE,
};
export const root: PolicyPrincipal = { kind: 'root', arn: `arn:aws:iam::${OWN}:root`, accountId: OWN, userId: OWN };
export const foreignRoot: PolicyPrincipal = {
  kind: 'root',
  arn: `arn:aws:iam::${FOREIGN}:root`,
  accountId: FOREIGN,
  userId: FOREIGN,
};
export const anonymous: PolicyPrincipal = { kind: 'anonymous', arn: '', accountId: '', userId: '' };

/** A request for `ecr:BatchGetImage` on `team/app` by alice, but for what is given. Context keys may be written as in policies. */
export function requestOf(
  changes: Partial<Omit<PolicyRequest, 'context'>> & {
    context?: Readonly<Record<string, string | readonly string[]>>;
  } = {},
): PolicyRequest {
  const principal = changes.principal ?? alice;
  const context: ContextKeys = new Map([
    ...principalContext(principal),
    ...Object.entries(changes.context ?? {}).map(([key, value]) => [key.toLowerCase(), value] as const),
  ]);
  return { action: 'ecr:BatchGetImage', resource: REPOSITORY, resourceAccountId: OWN, ...changes, principal, context };
}

/** A policy variable, `${key}`, or with a default. */
export function variable(key: string, fallback?: string): string {
  return `$\{${key}${fallback === undefined ? '' : `, '${fallback}'`}}`;
}

/** The text of a document of these statements. */
export function textOf(kind: PolicyKind, statements: readonly Draft[], version = '2012-10-17'): string {
  return JSON.stringify({ Version: version, Statement: statements.map((draft) => completed(kind, draft)) });
}

export interface PolicyDrafts {
  readonly identity?: readonly Draft[];
  readonly repository?: readonly Draft[];
  readonly registry?: readonly Draft[];
  readonly session?: readonly Draft[];
}

/** Policies of drafts; each kind gets at most one document. */
export function policiesOf(drafts: PolicyDrafts, version?: string): ApplicablePolicies {
  const named = (kind: PolicyKind, name: string, statements: readonly Draft[]) => ({
    name,
    document: parsePolicy(textOf(kind, statements, version), kind),
  });
  return {
    identity: drafts.identity ? [named('identity', 'own', drafts.identity)] : [],
    ...(drafts.repository && { repository: named('repository', 'of the repository', drafts.repository) }),
    ...(drafts.registry && { registry: named('registry', 'of the registry', drafts.registry) }),
    ...(drafts.session && { session: [named('identity', 'of the session', drafts.session)] }),
  };
}

function completed(kind: PolicyKind, draft: Draft): Draft {
  const needsResource =
    (kind === 'identity' || kind === 'registry') && !('Resource' in draft) && !('NotResource' in draft);
  const needsAction = !('Action' in draft) && !('NotAction' in draft);
  return {
    Effect: 'Allow',
    ...(needsAction && { Action: 'ecr:BatchGetImage' }),
    ...(needsResource && { Resource: '*' }),
    ...draft,
  };
}
