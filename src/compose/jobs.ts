import type { ServeConfig } from '../config/config.ts';
import { openAuthorizer } from '../core/access/authorizer.ts';
import type { Caching } from '../core/caching/caching.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import type { ScanEngine } from '../core/scanning/scan-engine.ts';
import { createJobHandlers } from '../jobs/handlers.ts';
import { startJobRunner } from '../jobs/job-runner.ts';
import { type Schedule, startSchedules } from '../jobs/schedules.ts';
import { processTimers as timers } from '../jobs/timers.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../protocols/operator/metrics.ts';
import type { Access } from './access.ts';
import { openEventDelivery } from './event-delivery.ts';
import { openDestinations } from './replication.ts';
import { afterReading } from './scanning.ts';

interface JobParts {
  readonly config: ServeConfig;
  readonly dependencies: CoreDependencies;
  readonly access: Access;
  readonly caching: Caching;
  readonly engine: ScanEngine;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Jobs end between two of their steps, which are short. */
const STOP_SECONDS_MAX = 10;

/** Does what is to be done after the answers, and what is done every so often, until disposal. */
export async function startJobs({
  config,
  dependencies,
  access,
  caching,
  engine,
  metrics,
  log,
}: JobParts): Promise<AsyncDisposable> {
  const { metadata, now } = dependencies;
  await using starting = new AsyncDisposableStack();
  // The folder is ours alone: what is still being done was by a server that ended without a word. A database is shared,
  // and what a server that is gone was doing is another's once its lease is over.
  if (config.databaseUrl === undefined) await metadata.transaction('own-rows', ({ jobs }) => jobs.releaseAll(now()));
  const authorizer = config.auth === 'enforced' ? access.authorizer : openAuthorizer;
  const handlers = createJobHandlers(dependencies, {
    destinations: starting.use(openDestinations(dependencies, { authorizer, box: access.box })),
    events: openEventDelivery(dependencies, access.box),
    caching,
    engine,
    signing: { box: access.box, signatureSeconds: config.signatureSeconds },
    onRead: afterReading(dependencies, engine, config, log),
    onMatched: (images) => log.info({ images }, 'images were matched again'),
    onCollected(report) {
      metrics.collected(report);
      log.info({ ...report }, 'garbage collected');
    },
    onLifecycleApplied: ({ repository, ...report }) =>
      log.info({ registry: repository.registry, repository: repository.name, ...report }, 'lifecycle policy applied'),
  });
  starting.use(
    startJobRunner({
      dependencies,
      handlers,
      timers,
      stopSeconds: Math.min(config.stopSeconds, STOP_SECONDS_MAX),
      onEnded({ id, kind, attempts }, { outcome, error }) {
        metrics.jobEnded(kind, outcome);
        // What is tried for days, because a destination is away, is worth one line.
        const level = outcome === 'retried' && attempts > 1 ? 'info' : 'error';
        if (error !== undefined) log[level]({ err: error, job: id, kind, attempts, outcome }, 'a job failed');
      },
      onError: (error) => log.error({ err: error }, 'jobs cannot be taken from the store'),
    }),
  );
  starting.use(
    startSchedules({
      dependencies,
      schedules: schedulesOf(config),
      timers,
      onError: (error, schedule) => log.error({ err: error, schedule }, 'a schedule cannot be looked at'),
    }),
  );
  const started = starting.move();
  return { [Symbol.asyncDispose]: () => started.disposeAsync() };
}

function schedulesOf({ garbageIntervalSeconds, lifecycleIntervalSeconds }: ServeConfig): Schedule[] {
  return [
    {
      name: 'collect-garbage',
      intervalSeconds: garbageIntervalSeconds,
      job: { kind: 'collect-garbage', key: 'garbage', payload: {} },
    },
    {
      name: 'start-lifecycle',
      intervalSeconds: lifecycleIntervalSeconds,
      job: { kind: 'start-lifecycle', key: 'lifecycle', payload: {} },
    },
  ];
}
