import type { Refusal } from '../errors.ts';

/**
 * A lifecycle policy that is none. The message is what ECR puts behind "Lifecycle policy validation failure: ", where its
 * words are known; each line that comes from its schema ends with a newline, the last one too.
 */
export class LifecyclePolicyError extends Error {
  /** What ECR does not say: where in the document, and what is missing there. */
  readonly explanation: string | undefined;
  constructor(message: string, explanation?: string) {
    super(message);
    this.name = 'LifecyclePolicyError';
    this.explanation = explanation;
  }
}

/** The refusal of PutLifecyclePolicy and StartLifecyclePolicyPreview. */
export function lifecycleRefusal({
  message,
  explanation,
}: LifecyclePolicyError): Extract<Refusal, { kind: 'invalid-parameter' }> {
  return {
    kind: 'invalid-parameter',
    parameter: 'LifecyclePolicyText',
    constraint: `Lifecycle policy validation failure: ${message}`,
    ...(explanation !== undefined && { detail: explanation }),
  };
}
