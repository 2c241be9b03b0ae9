import type { OperationRequest, Output } from '../operation.ts';
import { nextTokenOf, positionIn, refusePaging } from '../paging.ts';
import { cacheRuleView } from './cache-rule-view.ts';

const name = 'DescribePullThroughCacheRules';
const RESULTS_DEFAULT = 100;

/** The named rules, which must all be there, or a page of all. */
export async function describePullThroughCacheRules({
  core,
  call,
  input,
}: OperationRequest<typeof name>): Promise<Output<typeof name>> {
  if (input.ecrRepositoryPrefixes !== undefined) {
    refusePaging(input, 'ecrRepositoryPrefixes');
    const named = await core.cacheRules.getMany(call, input.ecrRepositoryPrefixes);
    return { pullThroughCacheRules: named.map(cacheRuleView) };
  }
  const [after = ''] = positionIn(name, input.nextToken, 1) ?? [];
  const page = await core.cacheRules.list(call, { after, limit: input.maxResults ?? RESULTS_DEFAULT });
  return {
    pullThroughCacheRules: page.rules.map(cacheRuleView),
    nextToken: nextTokenOf(name, page.next === undefined ? undefined : [page.next]),
  };
}
