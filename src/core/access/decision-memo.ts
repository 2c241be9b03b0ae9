import type { Permission } from './authorizer.ts';
import type { Caller } from './caller.ts';
import type { NamedPolicy } from './policy/document.ts';
import type { ApplicablePolicies, Decision } from './policy/evaluate.ts';

/**
 * Remembers decisions that follow from who asks for what and from the policies alone, without conditions and variables: a pull asks
 * for the same again and again. What is remembered goes with the identity's policies, which the directory makes anew after
 * every change of access.
 */
export function createDecisionMemo(): (
  caller: Caller,
  permission: Permission,
  policies: ApplicablePolicies,
  decide: () => Promise<Decision>,
) => Promise<Decision> {
  const byIdentity = new WeakMap<readonly NamedPolicy[], Map<string, Remembered>>();
  return async (caller, { action, resource, registry }, policies, decide) => {
    if (policies.session || !isUnconditional(policies)) return decide();
    const remembered = byIdentity.get(policies.identity) ?? new Map<string, Remembered>();
    // Where there is no resource, the account that is asked makes the difference.
    const key = `${caller.arn} ${action} ${resource} ${registry?.accountId}`;
    const known = remembered.get(key);
    if (known && known.repository === policies.repository && known.registry === policies.registry)
      return known.decision;
    const decision = await decide();
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(key, { decision, repository: policies.repository, registry: policies.registry });
    byIdentity.set(policies.identity, remembered);
    return decision;
  };
}

interface Remembered {
  readonly decision: Decision;
  readonly repository: NamedPolicy | undefined;
  readonly registry: NamedPolicy | undefined;
}

/** For each identity: more than it uses repositories in a day. */
const REMEMBERED_MAX = 1000;

function isUnconditional({ identity, repository, registry }: ApplicablePolicies): boolean {
  return (
    identity.every(({ document }) => document.isUnconditional) &&
    (repository?.document.isUnconditional ?? true) &&
    (registry?.document.isUnconditional ?? true)
  );
}
