import type { IncomingMessage } from 'node:http';
import type { ServeConfig } from '../config/config.ts';
import type { Core } from '../core/core.ts';
import { createByteBudget, createFairByteBudget } from '../http/byte-budget.ts';
import { refusingForeign } from '../http/foreign-requests.ts';
import type { Handler } from '../http/handler.ts';
import { createRateLimiter, ECR_RATES } from '../http/rate-limit.ts';
import { withSecurityHeaders } from '../http/security-headers.ts';
import { createTrustedProxies } from '../http/trusted-proxy.ts';
import { createAwsHandler } from '../protocols/aws/dispatch.ts';
import { createLayerDownloadHandler } from '../protocols/aws/layers/layer-downloads.ts';
import { openAuthentication } from '../protocols/aws/open-authentication.ts';
import { signedAuthentication } from '../protocols/aws/signed-authentication.ts';
import { createEnforcedAuthenticator, createOpenAuthenticator } from '../protocols/oci/authenticate.ts';
import { TOKEN_PATH } from '../protocols/oci/challenge.ts';
import { type ClientOf, directClient } from '../protocols/oci/client.ts';
import { createOciHandler } from '../protocols/oci/handler.ts';
import { createTokenEndpoint } from '../protocols/oci/token-endpoint.ts';
import { createReadinessHandler, healthHandler } from '../protocols/operator/health.ts';
import type { Metrics } from '../protocols/operator/metrics.ts';
import { createStsHandler, isStsRequest } from '../protocols/sts/sts-handler.ts';
import type { Stores } from './stores.ts';

/** Room for the bodies of API calls: three parts of the usual 10 MiB (in base64) at once, the others wait. */
const API_BODY_BYTES_MAX = 48 * 1024 * 1024;

/** The same for bodies that are not signed by their hash, such as boto3's: half of it for one address at most. */
const UNPROVEN_BODY_BYTES_MAX = 64 * 1024 * 1024;

/** What the faces stand on. */
export interface FrontDoorParts {
  readonly config: ServeConfig;
  readonly core: Core;
  readonly stores: Stores;
  readonly metrics: Metrics;
  /** A store does not answer. */
  readonly onUnready: (error: unknown, name: string) => void;
}

/** Which face answers which path, and how each finds out who asks. */
export function createFrontDoor({ config, core, stores, metrics, onUnready }: FrontDoorParts): Handler {
  const clientOf = createClientOf(config);
  const faces = createFaces(config, core, metrics, clientOf);
  const hostOf = (request: IncomingMessage) => clientOf(request).host;
  const guarded = config.auth === 'open' ? refusingForeign(core.addresses.isKnownHost, faces, hostOf) : faces;
  const readiness = createReadinessHandler(
    [
      { name: 'metadata', ready: () => stores.metadata.ready() },
      { name: 'blobs', ready: () => stores.blobs.ready() },
    ],
    onUnready,
  );
  return withSecurityHeaders((request, response) => {
    if (request.url === '/healthz') return healthHandler(request, response);
    if (request.url === '/readyz') return readiness(request, response);
    return guarded(request, response);
  });
}

function createFaces(config: ServeConfig, core: Core, metrics: Metrics, clientOf: ClientOf): Handler {
  const { publicUrl, anonymousPull } = config;
  const isEnforced = config.auth === 'enforced';
  const { addresses, credentials } = core;
  const now = () => new Date();
  const shared = { core, clientOf, now };
  const defaults = addresses.defaultRegistry;
  const bodyBudget = createByteBudget(API_BODY_BYTES_MAX);
  const throttle = config.throttle === 'ecr' ? createRateLimiter(ECR_RATES, () => performance.now()) : undefined;
  const authenticationFor = (service: 'ecr' | 'sts') =>
    isEnforced
      ? signedAuthentication({ credentials, addresses, now, service })
      : openAuthentication(addresses, defaults);

  const oci = createOciHandler({
    ...shared,
    authenticate: isEnforced ? createEnforcedAuthenticator({ core, anonymousPull }) : createOpenAuthenticator(core),
    anonymousPull,
    throttle,
    bodyBudget,
    publicUrl: publicUrl ?? '',
  });
  const aws = createAwsHandler({
    ...shared,
    authentication: authenticationFor('ecr'),
    ...(publicUrl !== undefined && { publicUrl }),
    bodyBudget,
    unprovenBodyBudget: createFairByteBudget(UNPROVEN_BODY_BYTES_MAX, UNPROVEN_BODY_BYTES_MAX / 2),
    throttle,
  });
  const sts = createStsHandler({
    ...shared,
    authentication: authenticationFor('sts'),
    withoutAction: aws,
    throttle,
  });
  const downloads = createLayerDownloadHandler({ core });
  const tokens = anonymousPull ? createTokenEndpoint(shared) : undefined;

  return (request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/v2/') || path === '/v2') return oci(request, response);
    if (path.startsWith('/layers/')) return downloads(request, response);
    if (path === '/metrics') return metrics.handler(request, response);
    if (tokens && (path === TOKEN_PATH || path.startsWith(`${TOKEN_PATH}?`))) return tokens(request, response);
    if (isStsRequest(request)) return sts(request, response);
    return aws(request, response);
  };
}

/** Where a request comes from: what its connection says, or a trusted proxy. */
function createClientOf({ trustedProxies }: ServeConfig): ClientOf {
  if (trustedProxies.length === 0) return directClient;
  const proxies = createTrustedProxies(trustedProxies);
  return (request) => {
    const { address, scheme, host } = proxies.originOf(request);
    return { sourceIp: address, isSecure: scheme === 'https', host };
  };
}
