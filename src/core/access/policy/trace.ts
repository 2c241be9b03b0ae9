import { matchPrincipal, type PolicyPrincipal } from './principals.ts';
import type { PatternElement, Statement } from './statement.ts';
import type { ContextKeys } from './templates.ts';

/** What a caller wants to do, and everything a policy may ask about it. */
export interface PolicyRequest {
  readonly principal: PolicyPrincipal;
  /** `ecr:PutImage`; upper and lower case alike. */
  readonly action: string;
  /** An ARN, or `*` where the action takes no resource. */
  readonly resource: string;
  readonly resourceAccountId: string;
  /** By key in lower case. The keys of the principal are `principalContext`'s; nothing is added here. */
  readonly context: ContextKeys;
}

/** What became of one statement. */
export interface TraceLine {
  readonly policy: string;
  readonly kind: 'identity' | 'repository' | 'registry' | 'session';
  readonly sid: string | undefined;
  /** Counted from 1. */
  readonly statement: number;
  readonly effect: 'Allow' | 'Deny';
  readonly matched: boolean;
  /** It names the caller's account only: of the same account it allows nothing by itself. */
  readonly delegates: boolean;
  /** The first element that did not match; undefined when all did. */
  readonly mismatch: Mismatch | undefined;
}

export interface Mismatch {
  /** `Action`, `NotResource`, … or `Condition StringEquals aws:username`. */
  readonly element: string;
  /** What the policy says there. */
  readonly wanted: readonly string[];
  /** What the request has there; undefined when it has nothing. */
  readonly actual: string | readonly string[] | undefined;
}

/** Looks at one statement. `action` is the request's in lower case. */
export function traceStatement(
  statement: Statement,
  request: PolicyRequest,
  action: string,
  policy: string,
  kind: TraceLine['kind'],
): TraceLine {
  const { number, sid, effect, principals } = statement;
  const principal = principals === undefined ? 'direct' : matchPrincipal(principals, request.principal);
  const mismatch =
    principal === 'none' ? principalMismatch(statement, request) : mismatchOf(statement, request, action);
  const delegates = principal === 'account';
  return { policy, kind, sid, statement: number, effect, matched: mismatch === undefined, delegates, mismatch };
}

function mismatchOf(statement: Statement, request: PolicyRequest, action: string): Mismatch | undefined {
  const { actions, resources, conditions } = statement;
  const { context, resource } = request;
  if (!applies(actions, action, context)) return mismatchedPatterns('Action', actions, request.action);
  if (resources && !applies(resources, resource, context)) return mismatchedPatterns('Resource', resources, resource);
  for (const condition of conditions) {
    if (condition.holds(context)) continue;
    const { operator, key, values } = condition;
    return { element: `Condition ${operator} ${key}`, wanted: values, actual: context.get(key.toLowerCase()) };
  }
  return undefined;
}

/** An element with a variable that has no value matches nothing, negated or not (IAM user guide, "Variables and tags", note). */
function applies({ isNegated, patterns }: PatternElement, text: string, context: ContextKeys): boolean {
  let isUnresolved = false;
  for (const pattern of patterns) {
    const matches = pattern.test(text, context);
    if (matches) return !isNegated;
    if (matches === undefined) isUnresolved = true;
  }
  return isNegated && !isUnresolved;
}

function mismatchedPatterns(element: string, { isNegated, sources }: PatternElement, actual: string): Mismatch {
  return { element: isNegated ? `Not${element}` : element, wanted: sources, actual };
}

function principalMismatch({ principals }: Statement, { principal }: PolicyRequest): Mismatch {
  const element = principals?.isNegated ? 'NotPrincipal' : 'Principal';
  return { element, wanted: principals?.sources ?? [], actual: principal.arn || undefined };
}
