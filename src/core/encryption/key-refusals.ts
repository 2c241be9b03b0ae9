import { RefusedError } from '../errors.ts';

/** Whether something was refused because a key cannot be used. */
export function isOfKey(error: unknown): error is RefusedError {
  return error instanceof RefusedError && error.refusal.kind === 'kms';
}

/** Whether it was because the key service did not answer, which mends itself; a key that is disabled is somebody's doing. */
export function isOfSilence(error: unknown): boolean {
  return isOfKey(error) && error.refusal.kind === 'kms' && error.refusal.kmsError === NO_ANSWER;
}

/** KMS's own name for it. */
export const NO_ANSWER = 'DependencyTimeoutException';
