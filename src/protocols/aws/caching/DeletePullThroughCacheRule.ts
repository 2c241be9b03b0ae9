import type { OperationRequest, Output } from '../operation.ts';
import { cacheRuleView } from './cache-rule-view.ts';

type Name = 'DeletePullThroughCacheRule';

export async function deletePullThroughCacheRule({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  return cacheRuleView(await core.cacheRules.delete(call, input.ecrRepositoryPrefix));
}
