import type { SigningConfiguration } from '@aws-sdk/client-ecr';
import type { SigningRule } from '../../../core/signing/signing-records.ts';

export function signingView(rules: readonly SigningRule[]): SigningConfiguration {
  return {
    rules: rules.map(({ profileArn, filters }) => ({
      signingProfileArn: profileArn,
      repositoryFilters:
        filters.length === 0 ? undefined : filters.map((filter) => ({ filter, filterType: 'WILDCARD_MATCH' })),
    })),
  };
}
