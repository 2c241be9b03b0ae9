import type { IncomingMessage } from 'node:http';
import type { ServeConfig } from '../config/config.ts';
import type { Core } from '../core/core.ts';
import { createByteBudget } from '../http/byte-budget.ts';
import { refusingForeign } from '../http/foreign-requests.ts';
import type { Handler } from '../http/handler.ts';
import { createAwsHandler } from '../protocols/aws/dispatch.ts';
import { createLayerDownloadHandler } from '../protocols/aws/layers/layer-downloads.ts';
import { createOpenAuthenticator } from '../protocols/oci/authenticate.ts';
import { createOciHandler } from '../protocols/oci/handler.ts';
import { createReadinessHandler, healthHandler } from '../protocols/operator/health.ts';
import type { Metrics } from '../protocols/operator/metrics.ts';
import { createStsHandler, isStsRequest } from '../protocols/sts/sts-handler.ts';
import type { Stores } from './stores.ts';

/** Where a request comes from, a trusted proxy's word for it included. */
export type ClientOf = (request: IncomingMessage) => {
  readonly sourceIp: string;
  readonly isSecure: boolean;
  readonly host: string | undefined;
};

/** Room for the bodies of API calls: three parts of the usual 10 MiB (in base64) at once, the others wait. */
const API_BODY_BYTES_MAX = 48 * 1024 * 1024;

/** Which face answers which path. */
export function createFrontDoor(
  config: ServeConfig,
  core: Core,
  { metadata, blobs }: Stores,
  metrics: Metrics,
): Handler {
  const { publicUrl } = config;
  const defaults = core.addresses.defaultRegistry;
  const bodyBudget = createByteBudget(API_BODY_BYTES_MAX);
  const authenticate = createOpenAuthenticator(core);
  const oci = createOciHandler({ core, authenticate, bodyBudget, publicUrl: publicUrl ?? '' });
  const aws = createAwsHandler({ core, defaults, ...(publicUrl !== undefined && { publicUrl }), bodyBudget });
  const sts = createStsHandler({ defaults, addresses: core.addresses, withoutAction: aws });
  const downloads = createLayerDownloadHandler({ core });
  const faces: Handler = (request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/v2/') || path === '/v2') return oci(request, response);
    if (path.startsWith('/layers/')) return downloads(request, response);
    if (path === '/metrics') return metrics.handler(request, response);
    if (isStsRequest(request)) return sts(request, response);
    return aws(request, response);
  };
  const guarded = config.auth === 'open' ? refusingForeign(core.addresses.isKnownHost, faces) : faces;
  const readiness = createReadinessHandler([
    { name: 'metadata', ready: () => metadata.ready() },
    { name: 'blobs', ready: () => blobs.ready() },
  ]);
  return (request, response) => {
    if (request.url === '/healthz') return healthHandler(request, response);
    if (request.url === '/readyz') return readiness(request, response);
    return guarded(request, response);
  };
}
