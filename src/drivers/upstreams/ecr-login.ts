import type { CredentialsProvider } from '../../core/upstreams/upstream.ts';
import { UpstreamError } from '../../core/upstreams/upstream.ts';

/**
 * Credentials of one of Amazon's registries: its API gives out tokens that are good for twelve hours to whoever signs with an
 * access key (ECR API reference, GetAuthorizationToken).
 *
 * @param host `ACCOUNT.dkr.ecr.REGION.amazonaws.com`
 */
export function ecrLogin(
  host: string,
  credentials: { accessKeyId: string; secretAccessKey: string },
  endpoint?: string,
): CredentialsProvider {
  const [accountId = '', , , region = ''] = host.split('.');
  return async () => {
    // The SDK is large, and most rules are about other registries.
    const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
    const client = new ECRClient({
      region,
      credentials,
      // Without the last the SDK only says that it still waits, and does so for ever.
      requestHandler: { connectionTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, throwOnRequestTimeout: true },
      ...(endpoint !== undefined && { endpoint }),
    });
    try {
      const { authorizationData = [] } = await client.send(
        new GetAuthorizationTokenCommand({ registryIds: [accountId] }),
      );
      const [data] = authorizationData;
      const token = Buffer.from(data?.authorizationToken ?? '', 'base64').toString();
      const colon = token.indexOf(':');
      if (colon < 0) throw new Error('it gave no token');
      const expiresAt = data?.expiresAt && { expiresAt: data.expiresAt };
      return { username: token.slice(0, colon), password: token.slice(colon + 1), ...expiresAt };
    } catch (error) {
      throw loginError(host, error as Error & { $fault?: unknown });
    } finally {
      client.destroy();
    }
  };
}

const TIMEOUT_MS = 10_000;

function loginError(host: string, error: Error & { $fault?: unknown }): UpstreamError {
  const code = error.$fault === 'client' ? 'unauthorized' : 'unavailable';
  const message = `${host}: login: GetAuthorizationToken failed: ${error.name}: ${error.message}`.slice(0, 500);
  return new UpstreamError({ code, host, message }, { cause: error });
}
