import { RefusedError } from '../errors.ts';
import { TransferError } from '../transfer/transfer.ts';
import { UpstreamError, type UpstreamErrorCode } from '../upstreams/upstream.ts';

/** What came of an attempt to copy an image, in words for programs: ECR's model leaves them open. */
export interface Failure {
  readonly code: string;
  /**
   * - `wait`: the destination is not to be reached now, or this server is in trouble; time mends that
   * - `refused`: somebody has to do something, at the destination or here; tried again all the same
   * - `final`: it would come to the same
   */
  readonly outlook: 'wait' | 'refused' | 'final';
  /** Whether the trouble may be with this image alone, and others be copied meanwhile. */
  readonly isOfImage: boolean;
}

export function failureOf(error: unknown): Failure {
  const failure = error instanceof UpstreamError ? UPSTREAM_FAILURES[error.code] : localFailure(error);
  return { ...failure, isOfImage: failure.outlook !== 'wait' || failure.code === INTERNAL };
}

const INTERNAL = 'InternalError';

const UPSTREAM_FAILURES: Record<UpstreamErrorCode, Omit<Failure, 'isOfImage'>> = {
  unauthorized: { code: 'DestinationAuthenticationFailed', outlook: 'refused' },
  denied: { code: 'AccessDenied', outlook: 'refused' },
  'not-found': { code: 'RepositoryNotFound', outlook: 'refused' },
  'too-many-requests': { code: 'DestinationTooManyRequests', outlook: 'wait' },
  unavailable: { code: 'DestinationUnavailable', outlook: 'wait' },
  refused: { code: 'DestinationRefused', outlook: 'refused' },
  invalid: { code: 'DestinationInvalidAnswer', outlook: 'refused' },
  'forbidden-address': { code: 'DestinationAddressForbidden', outlook: 'refused' },
};

function localFailure(error: unknown): Omit<Failure, 'isOfImage'> {
  if (error instanceof TransferError) {
    return error.code === 'missing'
      ? { code: 'ImageNotFound', outlook: 'refused' }
      : { code: 'ImageInvalid', outlook: 'refused' };
  }
  if (!(error instanceof RefusedError)) return { code: INTERNAL, outlook: 'wait' };
  switch (error.refusal.kind) {
    // "The replication fails" (ECR user guide, "Registry permissions"): the policy says so, and ECR asks it once.
    case 'access-denied':
      return { code: 'AccessDenied', outlook: 'final' };
    case 'limit-exceeded':
    case 'layer-limit-exceeded':
      return { code: 'LimitExceeded', outlook: 'refused' };
    case 'storage-full':
      return { code: 'StorageFull', outlook: 'wait' };
    case 'kms':
      return { code: 'KmsError', outlook: 'refused' };
    case 'manifest-invalid':
      return { code: 'ImageInvalid', outlook: 'final' };
    default:
      return { code: 'DestinationRefused', outlook: 'refused' };
  }
}
