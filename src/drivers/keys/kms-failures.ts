import { NO_ANSWER } from '../../core/encryption/key-refusals.ts';
import { KeyServiceError } from '../../core/encryption/key-service.ts';

/** As the AWS SDK throws it. */
interface SdkError extends Error {
  readonly code?: string;
  /** Absent when there was no answer. */
  readonly $fault?: 'client' | 'server';
}

/**
 * What the service said, under its own name; that it said nothing, under the name KMS has for that.
 *
 * @param where the service is, for whoever reads the message
 */
export function describeFailure(error: unknown, where: string): KeyServiceError {
  const { name, message, code, $fault } = error as SdkError;
  // What AWS says of a signature goes on with the request that it wanted signed, a session's token included.
  if ($fault !== undefined) return new KeyServiceError(name, message.split('\n', 1)[0] ?? '', { cause: error });
  if (name === 'CredentialsProviderError') {
    const reason = `There are no credentials for the key service (${where}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`;
    return new KeyServiceError('MissingAuthenticationTokenException', reason, { cause: error });
  }
  const isLate = name === 'AbortError' || name === 'TimeoutError';
  const reason = `The key service (${where}) did not answer${isLate ? ' in time' : `: ${code ?? name}`}`;
  return new KeyServiceError(NO_ANSWER, reason, { cause: error });
}
