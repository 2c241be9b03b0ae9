import { RefusedError } from '../errors.ts';

/** Whether something was refused because a key cannot be used. */
export function isOfKey(error: unknown): error is RefusedError {
  return error instanceof RefusedError && error.refusal.kind === 'kms';
}

/** Whether it was because the key service did not answer, which mends itself; a key that is disabled is somebody's doing. */
export function isOfSilence(error: unknown): boolean {
  return isOfKey(error) && error.refusal.kind === 'kms' && error.refusal.kmsError === NO_ANSWER;
}

/** Whether it was for a reason that goes away by itself, so that the same is worth asking again a little later. */
export function mendsItself(error: unknown): boolean {
  return isOfKey(error) && error.refusal.kind === 'kms' && PASSING.has(error.refusal.kmsError);
}

/** KMS's own name for it. */
export const NO_ANSWER = 'DependencyTimeoutException';

/** https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html, and of Decrypt; tokens of a machine's role are renewed. */
const PASSING: ReadonlySet<string> = new Set([
  NO_ANSWER,
  'ExpiredTokenException',
  'InternalFailure',
  'KMSInternalException',
  'LimitExceededException',
  'MissingAuthenticationTokenException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'ThrottlingException',
]);
