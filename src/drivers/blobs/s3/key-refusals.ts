import { KeyServiceError } from '../../../core/encryption/key-service.ts';

/** Names of KMS's own; S3 says them with `KMS.` before them, other stores without. */
const OF_KEYS = new Set([
  'DependencyTimeoutException',
  'DisabledException',
  'IncorrectKeyException',
  'InvalidArnException',
  'InvalidCiphertextException',
  'InvalidKeyUsageException',
  'KMSInternalException',
  'KMSInvalidStateException',
  'KeyUnavailableException',
  'NotFoundException',
]);
const PREFIX = 'KMS.';
const NOT_IMPLEMENTED = ['NotImplemented', 'InvalidArgument', 'InvalidRequest', 'InvalidEncryptionAlgorithmError'];

/** What the store says about a key, in core's words; undefined when it is about something else. */
export function keyRefusalOf(error: unknown): KeyServiceError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message } = error;
  const code = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  if (code !== name || OF_KEYS.has(code)) return new KeyServiceError(code, message || name, { cause: error });
  // S3 names the action of KMS that its caller may not do.
  if (name === 'AccessDenied' && /\bkms:[A-Z]/.test(message)) {
    return new KeyServiceError('AccessDeniedException', message, { cause: error });
  }
  return undefined;
}

/** Of a request that asked for encryption under a key: also that the store does no such thing. */
export function keyRefusalOfNew(error: unknown): KeyServiceError | undefined {
  const refusal = keyRefusalOf(error);
  if (refusal !== undefined || !(error instanceof Error) || !NOT_IMPLEMENTED.includes(error.name)) return refusal;
  const reason = `The store does not encrypt under a key as it was told: ${error.message || error.name}`;
  return new KeyServiceError('UnsupportedOperationException', reason, { cause: error });
}
