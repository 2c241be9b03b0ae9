import type { PullThroughCacheRule } from '@aws-sdk/client-ecr';
import type { CacheRule } from '../../../core/caching/cache-rule-records.ts';

/** A rule as the operations tell it; each leaves out what it does not declare. */
export function cacheRuleView(rule: CacheRule): PullThroughCacheRule {
  return {
    ecrRepositoryPrefix: rule.prefix,
    upstreamRegistryUrl: rule.upstreamUrl,
    createdAt: rule.createdAt,
    updatedAt: rule.updatedAt,
    registryId: rule.registry.accountId,
    // Later than the SDK's list of them.
    upstreamRegistry: rule.upstreamKind as PullThroughCacheRule['upstreamRegistry'],
    credentialArn: rule.credentialArn,
    customRoleArn: rule.customRoleArn,
    // Only when it was given: Terraform would make the rule anew for any other.
    upstreamRepositoryPrefix: rule.upstreamPrefix,
  };
}
