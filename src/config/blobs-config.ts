import { type AwsCredentials, awsCredentialsOf } from './aws-credentials.ts';
import type { Environment } from './environment.ts';
import type { Setting } from './setting.ts';
import { ConfigError, type Given } from './settings-reader.ts';

/** A bucket of an S3 store, for bytes that are not in the data folder. */
export interface BucketConfig {
  readonly bucket: string;
  /** Without slashes around it; may be empty. */
  readonly prefix: string;
  readonly region: string;
  /** Undefined: Amazon's. */
  readonly endpoint: string | undefined;
  /** Under which clients reach the store, when not under `endpoint`. */
  readonly publicEndpoint: string | undefined;
  readonly pathStyle: boolean;
  /** Undefined: what the AWS SDK finds, such as the role of a pod. */
  readonly credentials: AwsCredentials | undefined;
  /** Whether the store is asked to encrypt what is not of a key of its own; some do without being asked. */
  readonly sse?: 'AES256';
  /** Whether the store may use a key of the bucket's own in place of one request to the key service for each object. */
  readonly bucketKey?: boolean;
}

/** Where bytes are; `serve` and the commands that touch bytes must agree on it. */
export const BLOBS_SETTING = {
  flag: 'blobs',
  variable: 'GANTRY_BLOBS',
  placeholder: 'url',
  description:
    'keep the bytes of layers in a bucket and not in the data folder: s3://bucket/prefix?region=…&endpoint=…&pathStyle=true',
} as const satisfies Setting;

export const BLOB_DELIVERY_SETTING = {
  flag: 'blob-delivery',
  variable: 'GANTRY_BLOB_DELIVERY',
  placeholder: 'way',
  description: 'how layers in a bucket reach clients: redirect (to links of the store) or proxy (through this server)',
  default: 'redirect',
} as const satisfies Setting;

/** Undefined when bytes are in the data folder. */
export function bucketOf(given: Given, environment: Environment): BucketConfig | undefined {
  if (!given.isGiven('blobs')) return undefined;
  const form = 'an address such as s3://bucket/prefix?region=eu-central-1';
  const url = URL.parse(given.matching('blobs', /^s3:\/\/[^/?#]+(\/[^?#]*)?(\?[^#]*)?$/, form));
  if (url === null) return wrong('is not an address');
  if (url.username !== '' || url.password !== '') {
    return wrong('must not hold credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  }
  if (!BUCKET.test(url.host)) return wrong(`names a bucket that cannot be: '${url.host}'`);
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  if (!PREFIX.test(prefix)) return wrong(`has a prefix of other than letters, digits, '_', '-', '.' and '/'`);
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) return wrong(`has a parameter '${unknown}'; there are ${PARAMETERS.join(', ')}`);
  const endpoint = endpointOf(url.searchParams, 'endpoint');
  return {
    bucket: url.host,
    prefix,
    region: url.searchParams.get('region') ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? 'us-east-1',
    endpoint,
    publicEndpoint: endpointOf(url.searchParams, 'publicEndpoint'),
    pathStyle: pathStyleOf(url.searchParams, endpoint !== undefined),
    credentials: awsCredentialsOf(environment, 'GANTRY_S3'),
    ...(choiceOf(url.searchParams, 'sse', ['AES256']) && { sse: 'AES256' }),
    ...(choiceOf(url.searchParams, 'bucketKey', ['true', 'false']) === 'true' && { bucketKey: true }),
  };
}

const PARAMETERS = ['region', 'endpoint', 'publicEndpoint', 'pathStyle', 'sse', 'bucketKey'];
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^([A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*)?$/;

/** Most stores that are not Amazon's have no names for their buckets in DNS. */
function pathStyleOf(parameters: URLSearchParams, hasEndpoint: boolean): boolean {
  return (choiceOf(parameters, 'pathStyle', ['true', 'false']) ?? String(hasEndpoint)) === 'true';
}

function choiceOf(parameters: URLSearchParams, name: string, choices: readonly string[]): string | undefined {
  const text = parameters.get(name);
  if (text === null || choices.includes(text)) return text ?? undefined;
  return wrong(`has ${name}=${text}; it is ${choices.join(' or ')}`);
}

function endpointOf(parameters: URLSearchParams, name: string): string | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  if (!/^https?:\/\/[^/?#@\s]+\/?$/.test(text)) {
    return wrong(`has ${name}=${text}; it is scheme and host, such as https://s3.example.com`);
  }
  return text.replace(/\/$/, '');
}

function wrong(what: string): never {
  throw new ConfigError(`--blobs (GANTRY_BLOBS) ${what}`);
}
