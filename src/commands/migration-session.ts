import { openAccess } from '../compose/access.ts';
import { openBlobKeys } from '../compose/blob-keys.ts';
import { openLocalRegistry } from '../compose/migration.ts';
import { quotaLimitsOf } from '../compose/quota-limits.ts';
import { coreDependencies, openStoresWithArchive } from '../compose/stores.ts';
import { readAccessCommand } from '../config/access-config.ts';
import { readFolderConfig, readTagConfig } from '../config/config.ts';
import { LIFECYCLE_EXTENSIONS_SETTING } from '../config/settings.ts';
import { settingsReader } from '../config/settings-reader.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { partitionOf } from '../core/values/registry.ts';
import type { Invocation } from './command-spec.ts';
import { createOperatorTrail, operatorName, type RecordChange } from './operator-trail.ts';

/** What import and export work on: a registry of a data folder, beside a running server or without. */
export interface MigrationSession extends AsyncDisposable {
  readonly dependencies: CoreDependencies;
  readonly registry: ReturnType<typeof openLocalRegistry>;
  readonly recordChange: RecordChange;
}

export async function openMigrationSession({ flags, environment }: Invocation): Promise<MigrationSession> {
  const { accountId, region, keyFile, auditFile } = readAccessCommand(flags, environment);
  const config = readFolderConfig(flags, environment);
  const limits = quotaLimitsOf(readTagConfig(flags, environment).quotas);
  const extensions = settingsReader([LIFECYCLE_EXTENSIONS_SETTING], flags, environment).on('lifecycle-extensions');
  await using opening = new AsyncDisposableStack();
  const stores = opening.use(await openStoresWithArchive(config));
  const settings = { ...config, partition: partitionOf(region), lifecycleExtensions: extensions ?? false };
  const keys = opening.use(await openBlobKeys(stores, config));
  const dependencies = coreDependencies(stores, settings, limits, keys);
  const access = await openAccess(dependencies, { keyFile, region });
  const arn = `operator:${operatorName()}`;
  const call = {
    caller: { kind: 'root', accountId, arn, userId: arn },
    registry: { accountId, region },
  } as const;
  const opened = opening.move();
  return {
    dependencies,
    registry: openLocalRegistry(dependencies, access, call),
    recordChange: createOperatorTrail(auditFile, accountId, dependencies.now, 'ecr.amazonaws.com'),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
