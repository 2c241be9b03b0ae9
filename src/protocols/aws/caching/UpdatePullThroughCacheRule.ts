import type { OperationRequest, Output } from '../operation.ts';
import { cacheRuleView } from './cache-rule-view.ts';

type Name = 'UpdatePullThroughCacheRule';

/** Other credentials, or another role; nothing else of a rule can change. */
export async function updatePullThroughCacheRule({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { ecrRepositoryPrefix: prefix, credentialArn, customRoleArn } = input;
  const rule = await core.cacheRules.update(call, {
    prefix,
    ...(credentialArn !== undefined && { credentialArn }),
    ...(customRoleArn !== undefined && { customRoleArn }),
  });
  return cacheRuleView(rule);
}
