import { type Refusal, RefusedError } from '../../core/errors.ts';
import { StoreUnavailableError } from '../../core/metadata-store.ts';
import { SigV4Error, type SigV4ErrorCode } from '../../http/sigv4/sigv4-error.ts';

/** An error as STS writes it. */
export class StsError extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'StsError';
    this.code = code;
    this.status = status;
  }
}

export function validationError(message: string): StsError {
  return new StsError('ValidationError', message);
}

/** How anything that was thrown reads on the wire (STS API reference, "Common Errors"); the unexpected as InternalFailure. */
export function stsErrorOf(error: unknown, requestId: string): StsError {
  if (error instanceof StsError) return error;
  if (error instanceof SigV4Error) return signatureError(error);
  const known = error instanceof RefusedError ? refusalError(error.refusal, error.message) : undefined;
  if (known) return known;
  if (error instanceof StoreUnavailableError) {
    return new StsError('ServiceUnavailable', 'The registry cannot reach its database', 503);
  }
  return new StsError('InternalFailure', `The server failed. It logged the reason under request id ${requestId}`, 500);
}

const SIGNATURE_ERRORS: Record<SigV4ErrorCode, readonly [code: string, status: number]> = {
  MissingAuthenticationTokenException: ['MissingAuthenticationToken', 403],
  IncompleteSignatureException: ['IncompleteSignature', 400],
  InvalidSignatureException: ['SignatureDoesNotMatch', 403],
};

function signatureError({ code, message }: SigV4Error): StsError {
  const [name, status] = SIGNATURE_ERRORS[code];
  return new StsError(
    name,
    name === 'MissingAuthenticationToken' ? 'Request is missing Authentication Token' : message,
    status,
  );
}

/** The refusals that identity has; any other is a fault of ours here. */
function refusalError(refusal: Refusal, message: string): StsError | undefined {
  switch (refusal.kind) {
    case 'credentials-unknown':
      return new StsError('InvalidClientTokenId', message, 403);
    case 'credentials-expired':
      return new StsError('ExpiredToken', message, 403);
    case 'access-denied':
      return new StsError('AccessDenied', deniedText(refusal.action, message), 403);
    case 'web-identity-invalid':
      return new StsError('InvalidIdentityToken', message);
    case 'invalid-parameter':
      return invalidParameter(refusal);
    default:
      return undefined;
  }
}

/** Who brings a token has no name yet, and learns nothing of the role. */
function deniedText(action: string, message: string): string {
  return action === 'sts:AssumeRoleWithWebIdentity' ? `Not authorized to perform ${action}` : message;
}

function invalidParameter({ parameter, constraint }: Extract<Refusal, { kind: 'invalid-parameter' }>): StsError {
  if (parameter === 'policy') return new StsError('MalformedPolicyDocument', constraint);
  return validationError(
    `1 validation error detected: Value at '${parameter}' failed to satisfy constraint: ${constraint}`,
  );
}
