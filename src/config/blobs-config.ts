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
  readonly credentials: BucketCredentials | undefined;
}

interface BucketCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
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
    credentials: credentialsOf(environment),
  };
}

const PARAMETERS = ['region', 'endpoint', 'publicEndpoint', 'pathStyle'];
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^([A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*)?$/;

/** Most stores that are not Amazon's have no names for their buckets in DNS. */
function pathStyleOf(parameters: URLSearchParams, hasEndpoint: boolean): boolean {
  const text = parameters.get('pathStyle') ?? String(hasEndpoint);
  if (text !== 'true' && text !== 'false') return wrong(`has pathStyle=${text}; it is true or false`);
  return text === 'true';
}

function endpointOf(parameters: URLSearchParams, name: string): string | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  if (!/^https?:\/\/[^/?#@\s]+\/?$/.test(text)) {
    return wrong(`has ${name}=${text}; it is scheme and host, such as https://s3.example.com`);
  }
  return text.replace(/\/$/, '');
}

/** Variables of our own go before those that other programs on the machine may mean. */
function credentialsOf(environment: Environment): BucketCredentials | undefined {
  const own = pairOf(environment, 'GANTRY_S3_ACCESS_KEY_ID', 'GANTRY_S3_SECRET_ACCESS_KEY');
  if (own !== undefined) return own;
  const credentials = pairOf(environment, 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY');
  const sessionToken = environment.AWS_SESSION_TOKEN;
  return credentials && { ...credentials, ...(sessionToken !== undefined && { sessionToken }) };
}

function pairOf(environment: Environment, id: string, secret: string): BucketCredentials | undefined {
  const [accessKeyId, secretAccessKey] = [environment[id], environment[secret]];
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  throw new ConfigError(`${id} and ${secret} go together: set both or neither`);
}

function wrong(what: string): never {
  throw new ConfigError(`--blobs (GANTRY_BLOBS) ${what}`);
}
