import type { OutgoingHttpHeaders } from 'node:http';
import { type Refusal, type RefusalKind, RefusedError } from '../../core/errors.ts';
import { STORE_RETRY_SECONDS, StoreUnavailableError } from '../../core/metadata-store.ts';
import { SigV4Error } from '../../http/sigv4/sigv4-error.ts';

/** An error as it stands on the wire. Names without a modelled exception are those of AWS's common front end. */
export class AwsError extends Error {
  /** The `__type` that clients tell errors apart by. */
  readonly code: string;
  readonly status: 400 | 413 | 500;
  /** Typed members besides `message`. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: OutgoingHttpHeaders;
  constructor(code: string, message: string, { status = 400, members = {}, headers = {} }: Wire = {}) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
    this.members = members;
    this.headers = headers;
  }
}

interface Wire {
  readonly status?: 400 | 413 | 500;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: OutgoingHttpHeaders;
}

/** A broken constraint in ECR's wording. */
export function invalidParameter(
  parameter: string,
  constraint: string,
  exception = 'InvalidParameterException',
): AwsError {
  return new AwsError(exception, `Invalid parameter at '${parameter}' failed to satisfy constraint: '${constraint}'`);
}

/** How anything that was thrown reads on the wire: core's refusals by the table below, the unexpected as ServerException. */
export function awsErrorOf(error: unknown, requestId: string): AwsError {
  if (error instanceof AwsError) return error;
  if (error instanceof SigV4Error) return new AwsError(error.code, error.message);
  if (error instanceof StoreUnavailableError) {
    // ECR has no exception for it: its clients try again after any ServerException.
    const headers = { 'Retry-After': String(STORE_RETRY_SECONDS) };
    return new AwsError('ServerException', 'The registry cannot reach its database', { status: 500, headers });
  }
  if (!(error instanceof RefusedError)) {
    const message = `The server failed. It logged the reason under request id ${requestId}`;
    return new AwsError('ServerException', message, { status: 500 });
  }
  const { refusal } = error;
  const code = EXCEPTIONS[refusal.kind];
  const status = code === 'ServerException' ? 500 : 400;
  return new AwsError(code, error.message, { status, members: membersOf(refusal) });
}

/** Every refusal of core's has a name here, also where no operation of this face can meet it. */
const EXCEPTIONS: Record<RefusalKind, string> = {
  'invalid-parameter': 'InvalidParameterException',
  'access-denied': 'AccessDeniedException',
  'credentials-unknown': 'UnrecognizedClientException',
  'credentials-expired': 'ExpiredTokenException',
  'web-identity-invalid': 'InvalidIdentityToken',
  'repository-policy-not-found': 'RepositoryPolicyNotFoundException',
  'registry-policy-not-found': 'RegistryPolicyNotFoundException',
  'template-already-exists': 'TemplateAlreadyExistsException',
  'template-not-found': 'TemplateNotFoundException',
  'cache-rule-already-exists': 'PullThroughCacheRuleAlreadyExistsException',
  'cache-rule-not-found': 'PullThroughCacheRuleNotFoundException',
  'unsupported-upstream': 'UnsupportedUpstreamRegistryException',
  'secret-not-found': 'SecretNotFoundException',
  'secret-inaccessible': 'UnableToAccessSecretException',
  'secret-undecryptable': 'UnableToDecryptSecretValueException',
  'upstream-image': 'UnableToGetUpstreamImageException',
  'upstream-layer': 'UnableToGetUpstreamLayerException',
  'upstream-referrers': 'UnableToListUpstreamImageReferrersException',
  'lifecycle-policy-not-found': 'LifecyclePolicyNotFoundException',
  'lifecycle-preview-in-progress': 'LifecyclePolicyPreviewInProgressException',
  'lifecycle-preview-not-found': 'LifecyclePolicyPreviewNotFoundException',
  'scan-not-found': 'ScanNotFoundException',
  'scanning-disabled': 'ValidationException',
  'unsupported-image-type': 'UnsupportedImageTypeException',
  'signing-configuration-not-found': 'SigningConfigurationNotFoundException',
  'signing-profile-unusable': 'ValidationException',
  'backfill-in-progress': 'ReplicationBackfillInProgressException',
  'backfill-invalid-status': 'ReplicationBackfillInvalidStatusException',
  'backfill-not-found': 'ReplicationBackfillNotFoundException',
  'exclusion-already-exists': 'ExclusionAlreadyExistsException',
  'exclusion-not-found': 'ExclusionNotFoundException',
  'repository-not-found': 'RepositoryNotFoundException',
  'repository-already-exists': 'RepositoryAlreadyExistsException',
  'repository-not-empty': 'RepositoryNotEmptyException',
  'invalid-resource-tag': 'InvalidTagParameterException',
  'too-many-resource-tags': 'TooManyTagsException',
  'upload-not-found': 'UploadNotFoundException',
  // Whose request is still writing? Mostly the same client's, which lost patience and sent the part again. SDKs back off and
  // retry on throttling; by then the first part has landed, and lastValidByteReceived tells where to go on.
  'upload-busy': 'ThrottlingException',
  'upload-empty': 'EmptyUploadException',
  'layer-part-invalid': 'InvalidLayerPartException',
  'layer-part-too-small': 'LayerPartTooSmallException',
  'layer-limit-exceeded': 'LimitExceededException',
  'layer-digest-mismatch': 'InvalidLayerException',
  'layer-already-exists': 'LayerAlreadyExistsException',
  'layer-not-found': 'LayersNotFoundException',
  'layer-inaccessible': 'LayerInaccessibleException',
  'layer-archived': 'LayerInaccessibleException',
  'layer-in-use': 'InvalidParameterException',
  'layers-not-found': 'LayersNotFoundException',
  'download-link-invalid': 'AccessDeniedException',
  'image-not-found': 'ImageNotFoundException',
  'image-archived': 'ImageArchivedException',
  'image-storage-class-update-not-supported': 'ImageStorageClassUpdateNotSupportedException',
  'image-already-exists': 'ImageAlreadyExistsException',
  'image-tag-already-exists': 'ImageTagAlreadyExistsException',
  'image-digest-mismatch': 'ImageDigestDoesNotMatchException',
  'referenced-images-not-found': 'ReferencedImagesNotFoundException',
  'image-referenced-by-index': 'InvalidParameterException',
  'manifest-invalid': 'InvalidParameterException',
  'image-not-restorable': 'ImageNotFoundException',
  'tag-not-restorable': 'ImageNotFoundException',
  'limit-exceeded': 'LimitExceededException',
  kms: 'KmsException',
  // Only of a whole call; of one image among many it is a failure (BatchGetImage).
  gated: 'AccessDeniedException',
  'storage-full': 'ServerException',
};

/** The two modelled exceptions that carry more than words. */
function membersOf(refusal: Refusal): Readonly<Record<string, unknown>> {
  if (refusal.kind === 'kms') return { kmsError: refusal.kmsError };
  if (refusal.kind !== 'layer-part-invalid') return {};
  const { registryId, repositoryName, uploadId, lastValidByteReceived } = refusal;
  return { registryId, repositoryName, uploadId, lastValidByteReceived };
}
