import { randomBytes, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { KeepingConfig } from '../config/config.ts';
import type { BlobStore } from '../core/blob-store.ts';
import { type CoreDependencies, DEFAULT_CORE_SETTINGS } from '../core/dependencies.ts';
import type { MetadataStore } from '../core/metadata-store.ts';
import { createQuotaGuard } from '../core/quotas/quota-guard.ts';
import { QUOTA_DEFAULTS, type QuotaLimits } from '../core/quotas/quotas.ts';
import { openFilesystemBlobStore } from '../drivers/blobs/filesystem/filesystem-blob-store.ts';
import { makeRoot } from '../drivers/blobs/filesystem/folders.ts';
import { createMemoryBlobStore } from '../drivers/blobs/memory/memory-blob-store.ts';
import { lockFolder } from '../drivers/folder-lock.ts';
import { openSqliteMetadataStore } from '../drivers/metadata/sqlite.ts';

export interface Stores extends AsyncDisposable {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
}

/**
 * Opens what a data folder holds, making it when it is not there; in memory without a folder.
 * @param exclusive refuses when a server works on the folder; commands that run beside one leave it out
 */
export async function openStores(
  dataDirectory: string | undefined,
  { exclusive = false }: { exclusive?: boolean } = {},
): Promise<Stores> {
  await using opening = new AsyncDisposableStack();
  const folder = dataDirectory === undefined ? undefined : resolve(dataDirectory);
  if (folder !== undefined) await makeRoot(folder);
  if (folder !== undefined && exclusive) opening.use(lockFolder(join(folder, 'serve.lock')));
  const file = folder === undefined ? ':memory:' : join(folder, 'gantry.db');
  const metadata = opening.use(await openSqliteMetadataStore({ file }));
  await metadata.migrate();
  const blobs = opening.use(
    folder === undefined ? createMemoryBlobStore() : await openFilesystemBlobStore({ directory: folder }),
  );
  const opened = opening.move();
  return { metadata, blobs, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** What core works with; commands that do without a server take it too. */
export function coreDependencies(
  { metadata, blobs }: Stores,
  settings: Partial<KeepingConfig> & {
    createOnPush?: boolean;
    partition?: string;
    mountsByDefault?: boolean;
    lifecycleExtensions?: boolean;
  },
  limits: Partial<QuotaLimits> = {},
): CoreDependencies {
  const now = () => new Date();
  return {
    metadata,
    blobs,
    now,
    newId: () => randomUUID(),
    randomBytes: (length) => randomBytes(length),
    settings: { ...DEFAULT_CORE_SETTINGS, ...settings },
    quotas: createQuotaGuard({ ...QUOTA_DEFAULTS, ...limits }, now),
  };
}
