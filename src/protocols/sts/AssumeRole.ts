import type { ActionResult, SignedActionRequest } from './action.ts';
import { roleParameters } from './role-parameters.ts';
import { sessionResult } from './session-result.ts';

export async function assumeRole({ core, query, facts, caller }: SignedActionRequest): Promise<ActionResult> {
  return sessionResult(await core.roleAssumption.assume(caller, roleParameters(query), facts));
}
