import type { CoreDependencies } from '../dependencies.ts';
import { RefusedError } from '../errors.ts';
import { type LifecyclePolicy, parseLifecyclePolicy } from './lifecycle-policy.ts';
import { LifecyclePolicyError, lifecycleRefusal } from './lifecycle-policy-error.ts';

type Policed = Pick<CoreDependencies, 'settings' | 'quotas'>;

/** Reads a policy as this registry takes it. Throws LifecyclePolicyError. */
export function readPolicy(document: string, { settings, quotas }: Policed): LifecyclePolicy {
  return parseLifecyclePolicy(document, {
    extensions: settings.lifecycleExtensions,
    rulesMax: quotas.limits['lifecycle-rules'],
  });
}

/** Refuses with invalid-parameter what `readPolicy` does not take. */
export function checkPolicy(document: string, policed: Policed): void {
  try {
    readPolicy(document, policed);
  } catch (error) {
    if (error instanceof LifecyclePolicyError) throw new RefusedError(lifecycleRefusal(error), { cause: error });
    throw error;
  }
}

/**
 * A checked document as ECR gives it back: without blanks, its rules in the order of their priorities. Each member keeps
 * its place, so that whoever wrote it knows it again.
 */
export function canonicalDocument(document: string): string {
  const { rules, ...rest } = JSON.parse(document) as { rules: { rulePriority: number }[] };
  const inOrder = rules.toSorted((one, other) => one.rulePriority - other.rulePriority);
  return JSON.stringify({ rules: inOrder, ...rest });
}
