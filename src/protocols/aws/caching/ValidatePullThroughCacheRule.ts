import type { OperationRequest, Output } from '../operation.ts';
import { cacheRuleView } from './cache-rule-view.ts';

type Name = 'ValidatePullThroughCacheRule';

/** Whether the upstream is there and takes the rule's credentials, now. */
export async function validatePullThroughCacheRule({
  core,
  call,
  input,
}: OperationRequest<Name>): Promise<Output<Name>> {
  const { rule, failure } = await core.cacheRules.validate(call, input.ecrRepositoryPrefix);
  return { ...cacheRuleView(rule), isValid: failure === undefined, failure };
}
