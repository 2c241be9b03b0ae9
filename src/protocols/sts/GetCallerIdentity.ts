import type { ActionResult, SignedActionRequest } from './action.ts';

/** Takes no permission, not even where a policy denies it (STS API reference, GetCallerIdentity). */
export async function getCallerIdentity({ caller }: SignedActionRequest): Promise<ActionResult> {
  return { Arn: caller.arn, UserId: caller.userId, Account: caller.accountId };
}
