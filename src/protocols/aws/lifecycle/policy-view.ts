import type { GetLifecyclePolicyResponse } from '@aws-sdk/client-ecr';
import type { Call } from '../../../core/access/caller.ts';
import type { StoredLifecyclePolicy } from '../../../core/lifecycle/lifecycle-records.ts';

/** ECR says 1970 of a policy that was never applied. */
const NEVER = new Date(0);

export function policyView(
  { registry }: Call,
  repositoryName: string,
  { document, evaluatedAt = NEVER }: StoredLifecyclePolicy,
): Required<GetLifecyclePolicyResponse> {
  return {
    registryId: registry.accountId,
    repositoryName,
    lifecyclePolicyText: document,
    lastEvaluatedAt: evaluatedAt,
  };
}
