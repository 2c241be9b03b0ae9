import type { NamedKey } from '../../../core/blob-store.ts';
import { KeyServiceError } from '../../../core/encryption/key-service.ts';
import type { S3Place } from './client.ts';

/** What an object is made with. */
export interface NewObject {
  /** Presigned links answer with this type too. */
  readonly ContentType: string;
  readonly ServerSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  readonly SSEKMSKeyId?: string;
  readonly SSEKMSEncryptionContext?: string;
  readonly BucketKeyEnabled?: boolean;
}

/** @param key absent for objects that are kept as all others are */
export function newObjectOf({ sse, bucketKey }: Pick<S3Place, 'sse' | 'bucketKey'>, key?: NamedKey): NewObject {
  const object = { ContentType: 'application/octet-stream' };
  if (key === undefined) return { ...object, ...(sse !== undefined && { ServerSideEncryption: sse }) };
  const isDouble = key.encryptionType === 'KMS_DSSE';
  return {
    ...object,
    ServerSideEncryption: isDouble ? 'aws:kms:dsse' : 'aws:kms',
    SSEKMSKeyId: key.keyId,
    SSEKMSEncryptionContext: encodeContext(key.context),
    // There are no bucket keys for DSSE (S3 user guide, "Reducing the cost of SSE-KMS").
    ...(bucketKey && !isDouble && { BucketKeyEnabled: true }),
  };
}

/**
 * Throws KeyServiceError when a store made an object and did not encrypt it under the key that it was told: some leave out
 * what they do not know.
 */
export function requireKey(
  asked: NewObject,
  made: { readonly ServerSideEncryption?: string | undefined; readonly SSEKMSKeyId?: string | undefined },
): void {
  if (asked.SSEKMSKeyId === undefined) return;
  const isAsAsked = made.ServerSideEncryption === asked.ServerSideEncryption;
  if (isAsAsked && (made.SSEKMSKeyId ?? asked.SSEKMSKeyId) === asked.SSEKMSKeyId) return;
  const reason = `The store did not encrypt under ${asked.SSEKMSKeyId} as it was told (${made.ServerSideEncryption ?? 'not at all'})`;
  throw new KeyServiceError('UnsupportedOperationException', reason);
}

/** S3 adds `aws:s3:arn` itself, and refuses who gives another (S3 user guide, "Encryption context"). */
function encodeContext(context: NamedKey['context']): string {
  const { 'aws:s3:arn': _, ...given } = context;
  return Buffer.from(JSON.stringify(given)).toString('base64');
}
