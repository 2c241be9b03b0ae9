import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { ECRClient } from '@aws-sdk/client-ecr';
import { type UpstreamCredentials, UpstreamError, type UpstreamErrorCode } from '../../core/upstreams/upstream.ts';

/** As much of the ECR API as pushing to a registry takes. Rejects with UpstreamError. */
export interface EcrApi extends Disposable {
  password(): Promise<UpstreamCredentials>;
  /** One that is there is as good as made. */
  createRepository(name: string, signal: AbortSignal | undefined): Promise<void>;
}

export interface EcrApiOptions {
  readonly region: string;
  readonly registryId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Amazon's own unless given. */
  readonly endpoint?: string;
  readonly lookupFor: GuardedLookup;
  /** How long an answer may take; half a minute unless given. */
  readonly answerMs?: number;
}

/** Finds names for connections to a URL, where its addresses may be asked. Fails, then or at once, with UpstreamError. */
export type GuardedLookup = (url: URL) => LookupFunction;

const CONNECT_MS = 10_000;
const ANSWER_MS_DEFAULT = 30_000;

export function createEcrApi(options: EcrApiOptions): EcrApi {
  const url = new URL(options.endpoint ?? `https://api.ecr.${options.region}.amazonaws.com`);
  const { host } = url;
  let opening: Promise<ECRClient> | undefined;
  const client = () => {
    opening ??= openClient(options, url);
    return opening;
  };
  return {
    async password() {
      const { GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
      const { authorizationData = [] } = await asking(host, 'token', async () =>
        (await client()).send(new GetAuthorizationTokenCommand()),
      );
      const { authorizationToken = '', expiresAt } = authorizationData[0] ?? {};
      const [username = '', ...rest] = Buffer.from(authorizationToken, 'base64').toString().split(':');
      return { username, password: rest.join(':'), ...(expiresAt && { expiresAt }) };
    },
    async createRepository(repositoryName, signal) {
      const { CreateRepositoryCommand } = await import('@aws-sdk/client-ecr');
      const command = new CreateRepositoryCommand({ registryId: options.registryId, repositoryName });
      await asking(host, `repository ${repositoryName}`, async () => {
        await (await client()).send(command, signal && { abortSignal: signal });
      });
    },
    [Symbol.dispose]() {
      opening?.then((opened) => opened.destroy()).catch(() => {});
    },
  };
}

/** The SDK is large, and most registries have no such peer. */
async function openClient(
  { region, endpoint, accessKeyId, secretAccessKey, lookupFor, answerMs = ANSWER_MS_DEFAULT }: EcrApiOptions,
  url: URL,
): Promise<ECRClient> {
  const { ECRClient } = await import('@aws-sdk/client-ecr');
  const kept = { keepAlive: true, lookup: lookupFor(url) };
  return new ECRClient({
    region,
    credentials: { accessKeyId, secretAccessKey },
    // Jobs try again, over days and not over a second.
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: answerMs,
      // Else the SDK only says that it still waits, and does so for ever.
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent(kept),
      httpsAgent: new HttpsAgent(kept),
    },
    ...(endpoint !== undefined && { endpoint }),
  });
}

async function asking<T>(host: string, asked: string, work: () => Promise<T>): Promise<T | Record<string, never>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    const { name, message, code, $fault, $metadata } = error as SdkError;
    if (name === 'AbortError') throw error;
    if (name === 'RepositoryAlreadyExistsException') return {};
    const said = $fault === undefined ? `no answer (${code ?? name})` : `${name}: ${message}`;
    const facts = {
      code: codeOf(name, $fault, $metadata?.httpStatusCode),
      host,
      message: `${host}: ${asked}: ${said}`,
    };
    throw new UpstreamError({ ...facts, status: $metadata?.httpStatusCode }, { cause: error });
  }
}

interface SdkError extends Error {
  readonly code?: string;
  /** Absent when there was no answer. */
  readonly $fault?: 'client' | 'server';
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const UNAUTHORIZED = [
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
  'InvalidClientTokenId',
];

function codeOf(name: string, fault: SdkError['$fault'], status: number | undefined): UpstreamErrorCode {
  if (fault === undefined || fault === 'server' || (status ?? 400) >= 500) return 'unavailable';
  if (UNAUTHORIZED.includes(name)) return 'unauthorized';
  if (name.startsWith('AccessDenied')) return 'denied';
  return name.startsWith('Throttling') ? 'too-many-requests' : 'refused';
}
