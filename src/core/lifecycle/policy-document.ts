import type { CoreDependencies } from '../dependencies.ts';
import { RefusedError } from '../errors.ts';
import { type LifecyclePolicy, parseLifecyclePolicy } from './lifecycle-policy.ts';
import { LifecyclePolicyError, lifecycleRefusal } from './lifecycle-policy-error.ts';

/** Refuses with invalid-parameter a document that this registry does not take. */
export function checkPolicy(
  document: string,
  { settings, quotas }: Pick<CoreDependencies, 'settings' | 'quotas'>,
): void {
  try {
    parseLifecyclePolicy(document, {
      extensions: settings.lifecycleExtensions,
      rulesMax: quotas.limits['lifecycle-rules'],
    });
  } catch (error) {
    if (error instanceof LifecyclePolicyError) throw new RefusedError(lifecycleRefusal(error), { cause: error });
    throw error;
  }
}

/** Reads a document that was taken once: it says what it said then, however the server is configured now. */
export function readPolicy(document: string): LifecyclePolicy {
  return parseLifecyclePolicy(document, { extensions: true, rulesMax: Number.MAX_SAFE_INTEGER });
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
