import type { ECR } from '@aws-sdk/client-ecr';
import { SettingError } from '../../core/migration/settings-place.ts';
import { type UpstreamCredentials, UpstreamError, type UpstreamErrorCode } from '../../core/upstreams/upstream.ts';

export interface EcrPlace {
  readonly region: string;
  /** The caller's own registry unless given. */
  readonly accountId?: string | undefined;
  /** Amazon's own API unless given. */
  readonly endpoint?: string | undefined;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
  };
}

/** The ECR API of a registry. Asking rejects with UpstreamError, and with SettingError for an operation that is not served. */
export interface EcrClient extends Disposable {
  readonly host: string;
  /** For every request that takes one. */
  readonly registryId: { readonly registryId?: string };
  /** @param lacks names of exceptions that mean there is none */
  ask<T>(asked: string, work: (ecr: ECR) => Promise<T>): Promise<T>;
  ask<T>(asked: string, work: (ecr: ECR) => Promise<T>, lacks: readonly string[]): Promise<T | undefined>;
}

const CONNECT_MS = 10_000;
const ANSWER_MS = 60_000;
/** ECR refuses who asks too often, and a registry of many repositories takes many questions. */
const ATTEMPTS_MAX = 8;

export async function openEcrClient({ region, accountId, endpoint, credentials }: EcrPlace): Promise<EcrClient> {
  const { ECR: Client } = await import('@aws-sdk/client-ecr');
  const { sessionToken, ...key } = credentials;
  const ecr = new Client({
    region,
    credentials: { ...key, ...(sessionToken !== undefined && { sessionToken }) },
    maxAttempts: ATTEMPTS_MAX,
    // Without the last the SDK only says that it still waits, and does so for ever.
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
    ...(endpoint !== undefined && { endpoint }),
  });
  const host = endpoint === undefined ? `api.ecr.${region}.amazonaws.com` : new URL(endpoint).host;
  return {
    host,
    registryId: accountId === undefined ? {} : { registryId: accountId },
    async ask<T>(asked: string, work: (client: ECR) => Promise<T>, lacks: readonly string[] = []) {
      try {
        return await work(ecr);
      } catch (error) {
        if (lacks.includes((error as Error).name)) return undefined as T;
        throw failureOf(host, asked, error as SdkError);
      }
    },
    [Symbol.dispose]: () => ecr.destroy(),
  };
}

/** Where the OCI API of the registry is, and its password. Asked anew when the password expires. */
export async function ecrLogin(
  client: EcrClient,
): Promise<{ readonly url: string; readonly credentials: UpstreamCredentials }> {
  const { registryId } = client.registryId;
  const { authorizationData: [data] = [] } = await client.ask('GetAuthorizationToken', (ecr) =>
    ecr.getAuthorizationToken(registryId === undefined ? {} : { registryIds: [registryId] }),
  );
  const { authorizationToken = '', expiresAt, proxyEndpoint = '' } = data ?? {};
  const [username = '', ...rest] = Buffer.from(authorizationToken, 'base64').toString().split(':');
  return { url: proxyEndpoint, credentials: { username, password: rest.join(':'), ...(expiresAt && { expiresAt }) } };
}

interface SdkError extends Error {
  readonly code?: string;
  /** Absent when there was no answer. */
  readonly $fault?: 'client' | 'server';
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const UNSERVED = ['UnsupportedOperationException', 'UnknownOperationException', 'UnsupportedCommandException'];
const UNAUTHORIZED = ['UnrecognizedClientException', 'InvalidSignatureException', 'ExpiredTokenException'];

function failureOf(host: string, asked: string, error: SdkError): Error {
  const { name, message, code, $fault, $metadata } = error;
  if (UNSERVED.includes(name)) return new SettingError('unserved', `${host} does not serve ${asked}`, { cause: error });
  const said = $fault === undefined ? `no answer (${code ?? name})` : `${name}: ${message}`;
  const facts = { code: codeOf(error), host, message: `${host}: ${asked}: ${said}`.slice(0, 1000) };
  return new UpstreamError({ ...facts, status: $metadata?.httpStatusCode }, { cause: error });
}

function codeOf({ name, $fault, $metadata }: SdkError): UpstreamErrorCode {
  if ($fault === undefined || $fault === 'server' || ($metadata?.httpStatusCode ?? 400) >= 500) return 'unavailable';
  if (UNAUTHORIZED.includes(name)) return 'unauthorized';
  if (name.startsWith('AccessDenied')) return 'denied';
  if (name.startsWith('Throttling')) return 'too-many-requests';
  return name.endsWith('NotFoundException') ? 'not-found' : 'refused';
}
