import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type Refusal, type RefusalKind, RefusedError } from '../../core/errors.ts';
import { BodyTooLargeError } from '../../http/body.ts';
import { sendJson } from '../../http/json.ts';
import { apiVersion } from './api-version.ts';

/** Error codes of the OCI distribution specification 1.1, and those of its predecessor that ECR uses. */
export type OciErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'PAGINATION_NUMBER_INVALID'
  | 'SIZE_INVALID'
  | 'TAG_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNKNOWN'
  | 'UNSUPPORTED';

/** A refusal of the face's own: the request cannot be turned into a call of core. */
export class OciError extends Error {
  readonly status: number;
  readonly code: OciErrorCode;
  readonly headers: OutgoingHttpHeaders;
  constructor(status: number, code: OciErrorCode, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message);
    this.name = 'OciError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** How a refusal reads here; undefined for what is no refusal but a fault. */
export function ociErrorOf(error: unknown): OciError | undefined {
  if (error instanceof OciError) return error;
  if (error instanceof RefusedError) return errorOfRefusal(error.refusal, error.message);
  if (error instanceof BodyTooLargeError) return new OciError(413, 'SIZE_INVALID', error.message);
  return undefined;
}

/** The specification's JSON form ("Error Codes"). */
export function sendOciError(response: ServerResponse, { status, code, message, headers }: OciError): void {
  sendJson(response, status, { errors: [{ code, message }] }, { ...apiVersion, ...headers });
}

function errorOfRefusal(refusal: Refusal, message: string): OciError {
  const { status, code, headers } = answers[refusal.kind];
  switch (refusal.kind) {
    case 'image-not-found':
      // ECR's docker endpoint says it in fewer words than its API.
      return new OciError(status, code, 'Requested image not found');
    case 'upstream-image':
    case 'upstream-layer':
    case 'upstream-referrers':
      return upstreamError(refusal, code, message);
    case 'invalid-parameter':
      return new OciError(status, codeOfParameter[refusal.parameter] ?? code, message);
    default:
      return new OciError(status, code, message, headers);
  }
}

/** What an upstream refuses is as good as not there; what it cannot do now may be tried again. */
function upstreamError(
  { trouble, retryAfterSeconds }: Extract<Refusal, { trouble: string }>,
  missing: OciErrorCode,
  message: string,
): OciError {
  const retryAfter = retryAfterSeconds === undefined ? {} : { 'Retry-After': retryAfterSeconds };
  switch (trouble) {
    case 'denied':
      return new OciError(404, missing, message);
    case 'too-many-requests':
      return new OciError(429, 'TOOMANYREQUESTS', message, retryAfter);
    case 'unavailable':
      return new OciError(503, 'UNKNOWN', message, retryAfter);
    case 'credentials':
    case 'invalid':
      return new OciError(502, 'UNKNOWN', message);
  }
}

interface OciAnswer {
  readonly status: number;
  readonly code: OciErrorCode;
  readonly headers?: OutgoingHttpHeaders;
}

const codeOfParameter: Readonly<Record<string, OciErrorCode>> = {
  repositoryName: 'NAME_INVALID',
  imageTag: 'TAG_INVALID',
  imageDigest: 'DIGEST_INVALID',
  layerDigests: 'DIGEST_INVALID',
};

/** Codes and words are ECR's where a refusal is ECR's own; statuses, and codes it has its own mind about, the specification's. */
const answers: Readonly<Record<RefusalKind, OciAnswer>> = {
  'invalid-parameter': { status: 400, code: 'UNSUPPORTED' },
  'access-denied': { status: 403, code: 'DENIED' },
  'credentials-unknown': { status: 401, code: 'UNAUTHORIZED' },
  'credentials-expired': { status: 401, code: 'UNAUTHORIZED' },
  'web-identity-invalid': { status: 401, code: 'UNAUTHORIZED' },
  'repository-policy-not-found': { status: 404, code: 'UNSUPPORTED' },
  'registry-policy-not-found': { status: 404, code: 'UNSUPPORTED' },
  'template-already-exists': { status: 400, code: 'UNSUPPORTED' },
  'template-not-found': { status: 404, code: 'UNSUPPORTED' },
  'cache-rule-already-exists': { status: 409, code: 'UNSUPPORTED' },
  'cache-rule-not-found': { status: 404, code: 'UNSUPPORTED' },
  'unsupported-upstream': { status: 400, code: 'UNSUPPORTED' },
  'secret-not-found': { status: 404, code: 'UNSUPPORTED' },
  'secret-inaccessible': { status: 400, code: 'UNSUPPORTED' },
  'secret-undecryptable': { status: 400, code: 'UNSUPPORTED' },
  // The statuses of these three are those of the trouble.
  'upstream-image': { status: 502, code: 'MANIFEST_UNKNOWN' },
  'upstream-layer': { status: 502, code: 'BLOB_UNKNOWN' },
  'upstream-referrers': { status: 502, code: 'MANIFEST_UNKNOWN' },
  'lifecycle-policy-not-found': { status: 404, code: 'UNSUPPORTED' },
  'lifecycle-preview-in-progress': { status: 409, code: 'UNSUPPORTED' },
  'lifecycle-preview-not-found': { status: 404, code: 'UNSUPPORTED' },
  'scan-not-found': { status: 404, code: 'MANIFEST_UNKNOWN' },
  'scanning-disabled': { status: 400, code: 'UNSUPPORTED' },
  'unsupported-image-type': { status: 400, code: 'UNSUPPORTED' },
  'signing-configuration-not-found': { status: 404, code: 'UNSUPPORTED' },
  'signing-profile-unusable': { status: 400, code: 'UNSUPPORTED' },
  'backfill-in-progress': { status: 409, code: 'UNSUPPORTED' },
  'backfill-invalid-status': { status: 409, code: 'UNSUPPORTED' },
  'backfill-not-found': { status: 404, code: 'UNSUPPORTED' },
  'exclusion-already-exists': { status: 409, code: 'UNSUPPORTED' },
  'exclusion-not-found': { status: 404, code: 'UNSUPPORTED' },
  'repository-not-found': { status: 404, code: 'NAME_UNKNOWN' },
  'repository-already-exists': { status: 409, code: 'NAME_INVALID' },
  'repository-not-empty': { status: 409, code: 'UNSUPPORTED' },
  'invalid-resource-tag': { status: 400, code: 'UNSUPPORTED' },
  'too-many-resource-tags': { status: 400, code: 'UNSUPPORTED' },
  'upload-not-found': { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' },
  'upload-busy': { status: 409, code: 'BLOB_UPLOAD_INVALID', headers: { 'Retry-After': 1 } },
  'upload-empty': { status: 400, code: 'BLOB_UPLOAD_INVALID' },
  'layer-part-invalid': { status: 416, code: 'BLOB_UPLOAD_INVALID' },
  'layer-part-too-small': { status: 400, code: 'BLOB_UPLOAD_INVALID' },
  'layer-limit-exceeded': { status: 413, code: 'BLOB_UPLOAD_INVALID' },
  'layer-digest-mismatch': { status: 400, code: 'DIGEST_INVALID' },
  'layer-already-exists': { status: 409, code: 'BLOB_UPLOAD_INVALID' },
  'layer-not-found': { status: 404, code: 'BLOB_UNKNOWN' },
  'layer-inaccessible': { status: 404, code: 'BLOB_UNKNOWN' },
  'layer-archived': { status: 404, code: 'BLOB_UNKNOWN' },
  'layer-in-use': { status: 405, code: 'UNSUPPORTED', headers: { Allow: 'GET, HEAD' } },
  // ECR says BLOB_UPLOAD_UNKNOWN, the specification asks for this one ("Pushing Manifests").
  'layers-not-found': { status: 400, code: 'MANIFEST_BLOB_UNKNOWN' },
  'download-link-invalid': { status: 403, code: 'DENIED' },
  'image-not-found': { status: 404, code: 'MANIFEST_UNKNOWN' },
  // "Requests to pull the archived image will fail with a 404 error" (ECR user guide, "Archiving an image").
  'image-archived': { status: 404, code: 'MANIFEST_UNKNOWN' },
  'image-storage-class-update-not-supported': { status: 400, code: 'UNSUPPORTED' },
  'image-already-exists': { status: 409, code: 'MANIFEST_INVALID' },
  'image-tag-already-exists': { status: 400, code: 'TAG_INVALID' },
  'image-digest-mismatch': { status: 400, code: 'DIGEST_INVALID' },
  'referenced-images-not-found': { status: 400, code: 'MANIFEST_BLOB_UNKNOWN' },
  'image-referenced-by-index': { status: 405, code: 'UNSUPPORTED', headers: { Allow: 'GET, HEAD, PUT' } },
  'manifest-invalid': { status: 400, code: 'MANIFEST_INVALID' },
  'image-not-restorable': { status: 404, code: 'MANIFEST_UNKNOWN' },
  'tag-not-restorable': { status: 404, code: 'MANIFEST_UNKNOWN' },
  'limit-exceeded': { status: 403, code: 'DENIED' },
  kms: { status: 400, code: 'DENIED' },
  gated: { status: 403, code: 'DENIED' },
  'storage-full': { status: 507, code: 'UNKNOWN' },
};
