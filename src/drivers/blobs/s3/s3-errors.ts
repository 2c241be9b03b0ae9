import { StorageFullError } from '../../../core/blob-store.ts';
import type { S3Place } from './client.ts';
import { keyRefusalOf } from './key-refusals.ts';

/** How stores say that a quota is used up or that their disks are full. */
const FULL = new Set([
  'QuotaExceeded',
  'QuotaExceededException',
  'EntityTooLarge',
  'InsufficientStorage',
  'InsufficientStorageSpace',
  'XMinioStorageFull',
  'XMinioAdminBucketQuotaExceeded',
]);
const INSUFFICIENT_STORAGE = 507;

/** Runs a request and turns "no room left", and what is said about a key, into core's words for it. */
export async function withStorageErrors<Result>(request: Promise<Result>): Promise<Result> {
  try {
    return await request;
  } catch (error) {
    if (FULL.has(nameOf(error)) || statusOf(error) === INSUFFICIENT_STORAGE) throw new StorageFullError(error);
    throw keyRefusalOf(error) ?? error;
  }
}

/** The result of a request, or undefined when the object does not exist. */
export async function unlessMissing<Result>(request: Promise<Result>): Promise<Result | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw keyRefusalOf(error) ?? error;
  }
}

export function isMissing(error: unknown): boolean {
  // A HEAD has no body that could say NoSuchKey.
  return statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket' && keyRefusalOf(error) === undefined;
}

/** A multipart upload was completed or aborted before. */
export function isNoSuchUpload(error: unknown): boolean {
  return nameOf(error) === 'NoSuchUpload';
}

export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}

/** Why a bucket cannot be used, for whoever configured it. */
export function describeTrouble(
  error: unknown,
  { bucket, endpoint, region, sse }: Pick<S3Place, 'bucket' | 'endpoint' | 'region' | 'sse'>,
): string {
  const where = endpoint === undefined ? `of Amazon S3 in ${region}` : `at ${endpoint}`;
  const reason = error instanceof Error ? error.message || error.name : String(error);
  const name = nameOf(error);
  if (name === 'NoSuchBucket') return `There is no bucket ${bucket} ${where}`;
  if (name === 'NotImplemented' && sse !== undefined) {
    return `Bucket ${bucket} ${where} does not encrypt when it is asked to (${reason}): leave out sse=${sse}`;
  }
  if (name === 'PermanentRedirect') return `Bucket ${bucket} is in another region than ${region}: say region=…`;
  if (name === 'CredentialsProviderError') {
    return `There are no credentials for bucket ${bucket}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`;
  }
  if (statusOf(error) === 403) return `Bucket ${bucket} ${where} may not be used with these credentials: ${reason}`;
  return `Bucket ${bucket} ${where} cannot be used: ${reason}`;
}
