import { createHash } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

/** Where a bucket is and who asks. */
export interface S3Place {
  readonly bucket: string;
  /** Put before every key with a slash between; empty for none. */
  readonly prefix: string;
  readonly region: string;
  /** Undefined: Amazon's, by region. */
  readonly endpoint: string | undefined;
  /** Under which clients reach the store, when that is another name than the one servers use. */
  readonly publicEndpoint: string | undefined;
  /** Whether the bucket is in the path and not in the host name. */
  readonly pathStyle: boolean;
  /** Undefined: what the AWS SDK finds, such as the role of an instance or a pod. */
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
    | undefined;
  /** Whether the store is asked to encrypt what it is told no key for; it may do so without being asked. */
  readonly sse?: 'AES256';
  /** Whether the store may use a key of the bucket's for many objects under one key. */
  readonly bucketKey?: boolean;
}

/** Downloads that are streamed to slow clients hold a connection each. */
const CONNECTIONS_MAX = 1024;
const CONNECT_MS = 5_000;
/** Without a byte either way. Stores may take their time to put many parts together. */
const SILENCE_MS = 120_000;
const ATTEMPTS_MAX = 6;

/** The SDK is large, and most registries keep their bytes in a folder. */
export async function openClient(place: S3Place, endpoint: string | undefined): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client(configOf(place, endpoint));
  client.middlewareStack.add(
    (next, context) => (args) => {
      const { request } = args as { request?: { headers: Record<string, string>; body?: unknown } };
      if (context.commandName === 'DeleteObjectsCommand' && typeof request?.body === 'string') withMd5(request);
      return next(args);
    },
    { step: 'build', priority: 'low', name: 'contentMd5Middleware' },
  );
  return client;
}

function configOf(place: S3Place, endpoint: string | undefined): S3ClientConfig {
  const agentOptions = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
  return {
    region: place.region,
    forcePathStyle: place.pathStyle,
    maxAttempts: ATTEMPTS_MAX,
    // Requests are signed over the SHA-256 of their bodies, which every store verifies; not all know newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A round trip before every part.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
    },
    ...(endpoint !== undefined && { endpoint }),
    ...(place.credentials !== undefined && { credentials: place.credentials }),
  };
}

/** Some stores want the older of the two checksums that DeleteObjects may have, and every store takes it. */
function withMd5(request: { headers: Record<string, string>; body?: unknown }): void {
  for (const name of Object.keys(request.headers)) {
    if (/^x-amz-(sdk-)?checksum-/i.test(name)) delete request.headers[name];
  }
  request.headers['Content-MD5'] = createHash('md5').update(String(request.body)).digest('base64');
}
