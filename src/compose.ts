import { coreDependencies, openStores, type Stores } from './compose/stores.ts';
import type { ServeConfig } from './config/config.ts';
import { openAuthorizer } from './core/access/authorizer.ts';
import { createDownloadLinks } from './core/access/download-links.ts';
import { createRegistryAddresses, type RegistryAddresses } from './core/access/registry-addresses.ts';
import { createRegistryTokens } from './core/access/registry-tokens.ts';
import type { Core } from './core/core.ts';
import type { CoreDependencies } from './core/dependencies.ts';
import { collectGarbage, type GarbageReport } from './core/garbage/collect-garbage.ts';
import { createImages } from './core/images/image-catalog.ts';
import { createLayers } from './core/layers/layers.ts';
import { createUploads } from './core/layers/upload-pipeline.ts';
import { createRepositories } from './core/repositories/repositories.ts';
import { createByteBudget } from './http/byte-budget.ts';
import { refusingForeign } from './http/foreign-requests.ts';
import type { Handler } from './http/handler.ts';
import { createHttpServer } from './http/server.ts';
import { createLog, type Log } from './log.ts';
import { createAwsHandler } from './protocols/aws/dispatch.ts';
import { createLayerDownloadHandler } from './protocols/aws/layers/layer-downloads.ts';
import { createOpenAuthenticator } from './protocols/oci/authenticate.ts';
import { createOciHandler } from './protocols/oci/handler.ts';
import { createReadinessHandler, healthHandler } from './protocols/operator/health.ts';
import { createMetrics, type Metrics } from './protocols/operator/metrics.ts';
import { createStsHandler, isStsRequest } from './protocols/sts/sts-handler.ts';

/** A registry that serves. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  readonly addresses: RegistryAddresses;
  /** Takes no more work, finishes what is under way within the configured bound, and closes the stores. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Room for the bodies of API calls: three parts of the usual 10 MiB (in base64) at once, the others wait. */
const API_BODY_BYTES_MAX = 48 * 1024 * 1024;

/** Puts the parts together and listens. */
export async function startServer(config: ServeConfig): Promise<RunningServer> {
  await using opening = new AsyncDisposableStack();
  const log = createLog(config.logLevel);
  const stores = opening.use(await openStores(config.dataDirectory, { exclusive: true }));
  const dependencies = coreDependencies(stores, { ...config });
  let port = config.port;
  const core = createCore(dependencies, config, () => port);
  const metrics = createMetrics();
  const server = createHttpServer(createFrontDoor(config, core, stores, metrics), {
    idleSeconds: config.idleSeconds,
    onError: (error, request) => log.error({ err: error, ...request }, 'request failed'),
    onFinished(request) {
      metrics.observe(request);
      log.request(request);
    },
  });
  port = await server.listen(config.host, config.port);
  opening.defer(() => server.close(config.stopSeconds * 1000));
  opening.use(scheduleGarbage(config, dependencies, metrics, log));
  const running = opening.move();
  return { port, addresses: core.addresses, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function createCore(dependencies: CoreDependencies, config: ServeConfig, port: () => number): Core {
  const layers = createLayers(dependencies);
  return {
    authorizer: openAuthorizer,
    addresses: createRegistryAddresses({
      defaultRegistry: { accountId: config.accountId, region: config.region },
      port,
      ...(config.registryHost !== undefined && { hostTemplate: config.registryHost }),
      ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
    }),
    registryTokens: createRegistryTokens(dependencies),
    downloadLinks: createDownloadLinks(dependencies, layers),
    repositories: createRepositories(dependencies),
    uploads: createUploads(dependencies),
    layers,
    images: createImages(dependencies),
  };
}

/** Which face answers which path. */
function createFrontDoor(config: ServeConfig, core: Core, { metadata, blobs }: Stores, metrics: Metrics): Handler {
  const { publicUrl } = config;
  const defaults = core.addresses.defaultRegistry;
  const atPublicUrl = publicUrl !== undefined && { publicUrl };
  const bodyBudget = createByteBudget(API_BODY_BYTES_MAX);
  const authenticate = createOpenAuthenticator(core);
  const oci = createOciHandler({ core, authenticate, bodyBudget, publicUrl: publicUrl ?? '' });
  const aws = createAwsHandler({ core, defaults, ...atPublicUrl, bodyBudget });
  const sts = createStsHandler({ defaults, addresses: core.addresses, withoutAction: aws });
  const downloads = createLayerDownloadHandler({ core });
  const readiness = createReadinessHandler([
    { name: 'metadata', ready: () => metadata.ready() },
    { name: 'blobs', ready: () => blobs.ready() },
  ]);
  const guarded = refusingForeign(core.addresses.isKnownHost, (request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/v2/') || path === '/v2') return oci(request, response);
    if (path.startsWith('/layers/')) return downloads(request, response);
    if (path === '/metrics') return metrics.handler(request, response);
    if (isStsRequest(request)) return sts(request, response);
    return aws(request, response);
  });
  return (request, response) => {
    if (request.url === '/healthz') return healthHandler(request, response);
    if (request.url === '/readyz') return readiness(request, response);
    return guarded(request, response);
  };
}

function scheduleGarbage(
  { garbageIntervalSeconds }: ServeConfig,
  dependencies: CoreDependencies,
  metrics: Metrics,
  log: Log,
): AsyncDisposable {
  if (garbageIntervalSeconds === 0) return { [Symbol.asyncDispose]: async () => {} };
  const stop = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const finished = (report: GarbageReport) => {
    metrics.collected(report);
    log.info({ ...report }, 'garbage collected');
  };
  const failed = (error: unknown) => {
    if (!stop.signal.aborted) log.error({ err: error }, 'garbage collection failed');
  };
  const timer = setInterval(() => {
    running = running.then(() => collectGarbage(dependencies, { signal: stop.signal }).then(finished, failed));
  }, garbageIntervalSeconds * 1000);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      stop.abort();
      await running;
    },
  };
}
