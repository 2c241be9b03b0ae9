import { type Access, openAccess } from './compose/access.ts';
import { openBlobKeys } from './compose/blob-keys.ts';
import { openCaching } from './compose/caching.ts';
import { createFrontDoor } from './compose/front-door.ts';
import { requireMasterKeys } from './compose/master-keys.ts';
import { schedulePullTimes } from './compose/pull-time-schedule.ts';
import { quotaLimitsOf } from './compose/quota-limits.ts';
import { ensureRootKey } from './compose/root-key.ts';
import { matchWhenMoreIsKnown, openScanEngine } from './compose/scanning.ts';
import { coreDependencies, openStoresWithArchive } from './compose/stores.ts';
import { openTls } from './compose/tls.ts';
import type { AuditConfig } from './config/access-config.ts';
import type { ServeConfig } from './config/config.ts';
import { openAuthorizer } from './core/access/authorizer.ts';
import type { Directory } from './core/access/directory.ts';
import { createDownloadLinks } from './core/access/download-links.ts';
import { createRegistryAddresses, type RegistryAddresses } from './core/access/registry-addresses.ts';
import { type AuditTrail, noAuditTrail } from './core/audit/audit-trail.ts';
import type { Caching } from './core/caching/caching.ts';
import type { Core } from './core/core.ts';
import type { CoreDependencies } from './core/dependencies.ts';
import { createGatedImages } from './core/gates/gated-images.ts';
import { createGates } from './core/gates/gates.ts';
import { createImages } from './core/images/image-catalog.ts';
import { createLayers } from './core/layers/layers.ts';
import { createUploads } from './core/layers/upload-pipeline.ts';
import { createLifecycle } from './core/lifecycle/lifecycle-policies.ts';
import { createPullTimeExclusions } from './core/pull-times/pull-time-exclusions.ts';
import { createPullTimes, type PullTimes } from './core/pull-times/pull-times.ts';
import { createBackfills } from './core/replication/backfill-catalog.ts';
import { createReplication } from './core/replication/replication-configuration.ts';
import { createCreationTemplates } from './core/repositories/creation-templates.ts';
import { createRepositories } from './core/repositories/repositories.ts';
import { createScanning } from './core/scanning/image-scanning.ts';
import type { ScanEngine } from './core/scanning/scan-engine.ts';
import { createAccountSettings } from './core/settings/account-settings.ts';
import { createSigning } from './core/signing/signing-configuration.ts';
import { partitionOf } from './core/values/registry.ts';
import { createFileAuditTrail } from './drivers/audit/file-audit-trail.ts';
import { createHttpServer } from './http/server.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics } from './protocols/operator/deferred-metrics.ts';

/** A registry that serves. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  readonly addresses: RegistryAddresses;
  /** The file that tells the root's access key, when this start made one. */
  readonly rootKeyFile: string | undefined;
  /** The authority that clients have to trust, when it is the server's own. */
  readonly authorityFile: string | undefined;
  /** Takes no more work, finishes what is under way within the configured bound, and closes the stores. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Puts the parts together and listens. */
export async function startServer(config: ServeConfig): Promise<RunningServer> {
  await using opening = new AsyncDisposableStack();
  const log = createLog(config.logLevel);
  const limits = quotaLimitsOf(config.quotas);
  const stores = opening.use(await openStoresWithArchive(config, { exclusive: true }));
  const settings = { ...config, partition: partitionOf(config.region), mountsByDefault: config.auth === 'open' };
  const keys = opening.use(await openBlobKeys(stores, config));
  await requireMasterKeys(stores, keys.masterKeys);
  const dependencies = coreDependencies(stores, settings, limits, keys);
  const access = await openAccess(dependencies, config);
  const isEnforced = config.auth === 'enforced';
  const rootKeyFile = isEnforced
    ? await ensureRootKey(stores, access, config.accountId, {
        given: config.rootAccessKey,
        dataDirectory: config.dataDirectory,
      })
    : undefined;
  const audit = config.audit && opening.use(openAuditTrail(config.audit, log));
  let port = config.port;
  const onUnrecorded = (error: unknown) => log.error({ err: error }, 'pull times cannot be recorded');
  const pullTimes = createPullTimes(dependencies, onUnrecorded);
  opening.use(schedulePullTimes(pullTimes, config.pullTimeFlushSeconds, onUnrecorded));
  const caching = opening.use(openCaching(dependencies, access, config, log));
  const engine = opening.use(openScanEngine(config));
  const parts = { audit: audit ?? noAuditTrail, pullTimes, caching, engine };
  const core = createCore(dependencies, access, config, () => port, parts);
  const metrics = createMetrics({ countJobs: () => stores.metadata.read.jobs.counts() });
  const onUnready = (error: unknown, name: string) => log.error({ err: error, store: name }, 'a store does not answer');
  const opened = config.tls && opening.use(await openTls(config.tls, { ...config, log }));
  const server = createHttpServer(createFrontDoor({ config, core, stores, metrics, onUnready }), {
    idleSeconds: config.idleSeconds,
    ...(opened && { tls: opened.tls }),
    onError: (error, request) => log.error({ err: error, ...request }, 'request failed'),
    onFinished(request) {
      metrics.observe(request);
      log.request(request);
    },
  });
  const jobs = opening.use(new AsyncDisposableStack());
  port = await server.listen(config.host, config.port);
  opening.defer(() => server.close(config.stopSeconds * 1000));
  // What answers nobody is loaded when answers are given already, and ends when none are given any more.
  const { startJobs } = await import('./compose/jobs.ts');
  jobs.use(await startJobs({ config, dependencies, access, caching, engine, metrics, log }));
  opening.use(matchWhenMoreIsKnown(dependencies, engine, config, log));
  opening.use(watchAccess(access.directory, log));
  const running = opening.move();
  return {
    port,
    addresses: core.addresses,
    rootKeyFile,
    authorityFile: opened?.authorityFile,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function openAuditTrail(config: AuditConfig, log: Log) {
  const onError = (error: unknown) => log.error({ err: error }, 'the audit trail cannot be written');
  return createFileAuditTrail({ ...config, onError });
}

interface CoreParts {
  readonly audit: AuditTrail;
  readonly pullTimes: PullTimes;
  readonly caching: Caching;
  readonly engine: ScanEngine;
}

function createCore(
  dependencies: CoreDependencies,
  access: Access,
  config: ServeConfig,
  port: () => number,
  { audit, pullTimes, caching, engine }: CoreParts,
): Core {
  const layers = caching.layers(createLayers(dependencies));
  const images = caching.images(createImages(dependencies, pullTimes));
  return {
    authorizer: config.auth === 'enforced' ? access.authorizer : openAuthorizer,
    audit,
    addresses: createRegistryAddresses({
      defaultRegistry: { accountId: config.accountId, region: config.region },
      port,
      isSecure: config.tls !== undefined,
      ...(config.registryHost !== undefined && { hostTemplate: config.registryHost }),
      ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
    }),
    credentials: access.credentials,
    callers: access.callers,
    roleAssumption: access.roleAssumption,
    registryTokens: access.registryTokens,
    downloadLinks: createDownloadLinks(dependencies, layers),
    policies: access.policies,
    repositories: createRepositories(dependencies, access.directory),
    creationTemplates: createCreationTemplates(dependencies),
    uploads: createUploads(dependencies),
    layers,
    images: createGatedImages(dependencies, createGates(dependencies, engine), images, pullTimes),
    cacheRules: caching.rules,
    pullTimeExclusions: createPullTimeExclusions(dependencies),
    accountSettings: createAccountSettings(dependencies),
    lifecycle: createLifecycle(dependencies),
    scanning: createScanning(dependencies, engine),
    signing: createSigning(dependencies),
    replication: createReplication(dependencies),
    backfills: createBackfills(dependencies),
  };
}

/** A change of access made by a command or another node counts within a second. */
const ACCESS_INTERVAL_MS = 500;

function watchAccess(directory: Directory, log: Log): Disposable {
  const timer = setInterval(() => {
    directory.refresh().catch((error: unknown) => log.error({ err: error }, 'the access version cannot be read'));
  }, ACCESS_INTERVAL_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
