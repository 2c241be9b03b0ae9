import type { NamedPolicy } from './document.ts';
import type { PolicyPrincipal } from './principals.ts';
import { type PolicyRequest, type TraceLine, traceStatement } from './trace.ts';

export type { PolicyRequest } from './trace.ts';

export interface ApplicablePolicies {
  /** Of the caller: attached to it, its groups or its role. */
  readonly identity: readonly NamedPolicy[];
  /** The resource's own: a repository's policy, or the trust policy of a role that is to be assumed. */
  readonly repository?: NamedPolicy;
  readonly registry?: NamedPolicy;
  /** Each must allow too, when present: of a role session or a robot token. */
  readonly session?: readonly NamedPolicy[];
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason:
    | 'allowed-by-identity'
    | 'allowed-by-resource'
    | 'allowed-as-root'
    | 'explicit-deny'
    | 'no-identity-allow'
    | 'no-resource-allow'
    | 'no-session-allow';
  /** The statement that decided; absent where there was none. */
  readonly decidedBy?: {
    readonly policy: string;
    readonly kind: 'identity' | 'repository' | 'registry' | 'session';
    readonly sid?: string;
    /** Counted from 1. */
    readonly statement: number;
  };
  /** One line for each statement, in the order of the policies. */
  readonly trace: readonly TraceLine[];
}

/**
 * Decides whether a request is allowed (IAM user guide, "Policy evaluation logic").
 *
 * - A Deny that matches wins, wherever it stands.
 * - Within one account an Allow of the caller's own policies or of the resource's suffices; one of the resource's that names
 *   no more than the account delegates to the caller's own. The root of the account needs none.
 * - Across accounts both must allow; there a resource policy may name the account alone.
 * - An anonymous caller has the repository's policy alone, and of it what is for anyone.
 * - A role is assumed only as its trust policy allows, by its own account's root too.
 * - Every session policy must allow besides.
 */
export function evaluate(request: PolicyRequest, policies: ApplicablePolicies): Decision {
  const action = request.action.toLowerCase();
  const look = (kind: TraceLine['kind'], { name, document }: NamedPolicy): TraceLine[] =>
    document.statements.map((statement) => traceStatement(statement, request, action, name, kind));
  const identity = isOnlyNamedByResources(request.principal)
    ? []
    : policies.identity.flatMap((policy) => look('identity', policy));
  const repository = policies.repository ? look('repository', policies.repository) : [];
  const registry = policies.registry ? look('registry', policies.registry) : [];
  const sessions = policies.session?.map((policy) => look('session', policy)) ?? [];
  const resource = [...repository, ...registry];
  const trace = [...identity, ...resource, ...sessions.flat()];

  const denied = trace.find(({ matched, effect }) => matched && effect === 'Deny');
  if (denied) return { allowed: false, reason: 'explicit-deny', decidedBy: decider(denied), trace };
  const isTrust = policies.repository?.document.kind === 'trust';
  const grant = isTrust
    ? grantOfTrust(request, allowOf(identity), allowsOf(repository))
    : grantOf(
        request,
        allowOf(identity),
        action === TOKEN_ACTION ? [] : allowsOf(grantingLines(request, { repository, resource })),
      );
  const isLimited = isAllowed(grant) && !sessions.every((lines) => allowOf(lines) !== undefined);
  const { reason, by } = isLimited ? { reason: 'no-session-allow' as const, by: undefined } : grant;
  return { allowed: isAllowed({ reason }), reason, ...(by && { decidedBy: decider(by) }), trace };
}

/** Nobody becomes public by a registry's policy: what it says is of all its repositories, and meant for callers. */
function grantingLines(
  { principal }: PolicyRequest,
  { repository, resource }: { repository: TraceLine[]; resource: TraceLine[] },
): TraceLine[] {
  return principal.kind === 'anonymous' ? repository : resource;
}

interface Grant {
  readonly reason: Decision['reason'];
  readonly by?: TraceLine | undefined;
}

/** It takes no resource, so no resource's policy can allow it (ECR user guide, "Repository policies"). */
const TOKEN_ACTION = 'ecr:getauthorizationtoken';

function grantOf(request: PolicyRequest, identity: TraceLine | undefined, resource: readonly TraceLine[]): Grant {
  const { principal } = request;
  const direct = resource.find(({ delegates }) => !delegates);
  if (isOnlyNamedByResources(principal)) return resourceGrant(direct);
  const isRoot = principal.kind === 'root';
  if (principal.accountId !== request.resourceAccountId) {
    if (!identity && !isRoot) return { reason: 'no-identity-allow' };
    return resourceGrant(resource[0]);
  }
  if (isRoot) return { reason: 'allowed-as-root' };
  if (identity) return { reason: 'allowed-by-identity', by: identity };
  return direct ? resourceGrant(direct) : { reason: 'no-identity-allow' };
}

/**
 * The caller's own policies never suffice (IAM user guide, "Grant a user permissions to switch roles"); they must allow where the
 * trust policy names the account alone, and across accounts.
 */
function grantOfTrust(request: PolicyRequest, identity: TraceLine | undefined, trust: readonly TraceLine[]): Grant {
  const { principal } = request;
  const direct = trust.find(({ delegates }) => !delegates);
  if (isOnlyNamedByResources(principal)) return resourceGrant(direct);
  if (trust.length === 0) return { reason: 'no-resource-allow' };
  const isOwn = principal.accountId === request.resourceAccountId;
  if ((isOwn && direct) || identity || principal.kind === 'root') return resourceGrant(direct ?? trust[0]);
  return { reason: 'no-identity-allow' };
}

function resourceGrant(by: TraceLine | undefined): Grant {
  return by ? { reason: 'allowed-by-resource', by } : { reason: 'no-resource-allow' };
}

function isOnlyNamedByResources({ kind }: PolicyPrincipal): boolean {
  return kind === 'anonymous' || kind === 'federated';
}

function isAllowed({ reason }: Pick<Grant, 'reason'>): boolean {
  return reason === 'allowed-by-identity' || reason === 'allowed-by-resource' || reason === 'allowed-as-root';
}

function allowsOf(lines: readonly TraceLine[]): TraceLine[] {
  return lines.filter(({ matched, effect }) => matched && effect === 'Allow');
}

function allowOf(lines: readonly TraceLine[]): TraceLine | undefined {
  return lines.find(({ matched, effect }) => matched && effect === 'Allow');
}

function decider({ policy, kind, sid, statement }: TraceLine): NonNullable<Decision['decidedBy']> {
  return { policy, kind, ...(sid !== undefined && { sid }), statement };
}
