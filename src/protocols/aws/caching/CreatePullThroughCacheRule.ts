import type { OperationRequest, Output } from '../operation.ts';
import { cacheRuleView } from './cache-rule-view.ts';

type Name = 'CreatePullThroughCacheRule';

export async function createPullThroughCacheRule({ core, call, input }: OperationRequest<Name>): Promise<Output<Name>> {
  const { upstreamRepositoryPrefix, upstreamRegistry, credentialArn, customRoleArn } = input;
  const rule = await core.cacheRules.create(call, {
    prefix: input.ecrRepositoryPrefix,
    upstreamUrl: input.upstreamRegistryUrl,
    ...(upstreamRepositoryPrefix !== undefined && { upstreamPrefix: upstreamRepositoryPrefix }),
    ...(upstreamRegistry !== undefined && { upstreamKind: upstreamRegistry }),
    ...(credentialArn !== undefined && { credentialArn }),
    ...(customRoleArn !== undefined && { customRoleArn }),
  });
  return cacheRuleView(rule);
}
