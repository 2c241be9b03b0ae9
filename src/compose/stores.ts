import { randomBytes, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { BucketConfig } from '../config/blobs-config.ts';
import type { FolderConfig, KeepingConfig } from '../config/config.ts';
import { ConfigError } from '../config/settings-reader.ts';
import type { BlobStore } from '../core/blob-store.ts';
import { type CoreDependencies, DEFAULT_CORE_SETTINGS } from '../core/dependencies.ts';
import { createBlobEncryption } from '../core/encryption/blob-encryption.ts';
import type { MetadataStore } from '../core/metadata-store.ts';
import { whyNotHere, whyNotItsBytes } from '../core/moving/why-not-here.ts';
import { createQuotaGuard } from '../core/quotas/quota-guard.ts';
import { QUOTA_DEFAULTS, type QuotaLimits } from '../core/quotas/quotas.ts';
import { openFilesystemBlobStore } from '../drivers/blobs/filesystem/filesystem-blob-store.ts';
import { makeRoot } from '../drivers/blobs/filesystem/folders.ts';
import { createMemoryBlobStore } from '../drivers/blobs/memory/memory-blob-store.ts';
import { lockFolder } from '../drivers/folder-lock.ts';
import { openSqliteMetadataStore } from '../drivers/metadata/sqlite.ts';
import { type BlobKeys, noBlobKeys } from './blob-keys.ts';
import { registryPlaceOf } from './registry-place.ts';

export interface Stores extends AsyncDisposable {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
}

interface StoreOptions {
  readonly databaseUrl?: string | undefined;
  readonly exclusive?: boolean;
  readonly archiveDirectory?: string | undefined;
  readonly bucket?: (BucketConfig & { readonly links: boolean }) | undefined;
}

/**
 * Opens what a data folder holds, making it when it is not there; in memory without a folder.
 * @param databaseUrl where facts are instead of the folder
 * @param archiveDirectory where bytes of archived images are; commands that touch no bytes leave it out
 * @param bucket where bytes are instead of the folder; commands that touch no bytes leave it out
 * @param exclusive refuses when a server works on the folder; commands that run beside one leave it out
 */
export async function openStores(
  dataDirectory: string | undefined,
  { exclusive = false, databaseUrl, archiveDirectory, bucket }: StoreOptions = {},
): Promise<Stores> {
  await using opening = new AsyncDisposableStack();
  const folder = dataDirectory === undefined ? undefined : resolve(dataDirectory);
  if (folder !== undefined) await makeRoot(folder);
  if (folder !== undefined && exclusive) opening.use(lockFolder(join(folder, 'serve.lock')));
  const metadata = opening.use(await openMetadata(folder, databaseUrl));
  await metadata.migrate();
  refuse(whyNotHere(await metadata.read.moves.find()));
  const blobs = opening.use(await openBlobs(folder, { archiveDirectory, bucket }));
  const opened = opening.move();
  return { metadata, blobs, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function openMetadata(folder: string | undefined, databaseUrl: string | undefined): Promise<MetadataStore> {
  if (databaseUrl === undefined) {
    return openSqliteMetadataStore({ file: folder === undefined ? ':memory:' : join(folder, 'gantry.db') });
  }
  // Its client is loaded by those alone that have a database.
  const { openPostgresMetadataStore } = await import('../drivers/metadata/postgres.ts');
  return openPostgresMetadataStore({ url: databaseUrl });
}

export async function openBlobs(directory: string | undefined, { archiveDirectory, bucket }: StoreOptions) {
  if (bucket !== undefined) {
    // Loaded by those alone that have a bucket.
    const { openS3BlobStore } = await import('../drivers/blobs/s3/s3-blob-store.ts');
    return openS3BlobStore(bucket);
  }
  if (directory === undefined) return createMemoryBlobStore();
  return openFilesystemBlobStore({ directory, ...(archiveDirectory !== undefined && { archiveDirectory }) });
}

type StoresConfig = Pick<FolderConfig, 'archiveDirectory' | 'bucket' | 'databaseUrl'> & {
  readonly dataDirectory: string | undefined;
  readonly bucketLinks?: boolean;
};

/** Opens what a data folder holds together with its archive; refuses when bytes are archived and no archive is given. */
export async function openStoresWithArchive(
  { dataDirectory, databaseUrl, archiveDirectory, bucket, bucketLinks = false }: StoresConfig,
  options: { exclusive?: boolean } = {},
): Promise<Stores> {
  await using opening = new AsyncDisposableStack();
  const where = { databaseUrl, archiveDirectory, bucket: bucket && { ...bucket, links: bucketLinks } };
  const stores = opening.use(await openStores(dataDirectory, { ...options, ...where }));
  const place = registryPlaceOf({ dataDirectory, databaseUrl, bucket });
  refuse(whyNotItsBytes(await stores.metadata.read.moves.find(), place.bytes));
  await requireBytesHere(stores);
  await requireArchive({ archiveDirectory }, stores.metadata);
  const opened = opening.move();
  return { ...stores, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Where bytes are in an archive, it has to be named. */
export async function requireArchive(
  { archiveDirectory }: Pick<StoreOptions, 'archiveDirectory'>,
  { read }: MetadataStore,
): Promise<void> {
  if (archiveDirectory !== undefined || (await read.blobs.archived(0, 1)).length === 0) return;
  throw new ConfigError('This data folder has an archive: say where it is with --archive-dir (GANTRY_ARCHIVE_DIR)');
}

/** @param why a sentence; undefined when nothing is to be refused */
function refuse(why: string | undefined): void {
  if (why !== undefined) throw new ConfigError(why);
}

/** A registry that was begun with its bytes elsewhere must not go on here. */
async function requireBytesHere({ metadata, blobs }: Stores): Promise<void> {
  const [first] = await metadata.read.blobs.page(0, 1);
  if (first === undefined) return;
  await blobs.stat(first.location).catch((error: unknown) => {
    if (!(error instanceof TypeError)) throw error;
    throw new ConfigError(
      'The bytes of this registry are elsewhere: in a bucket when --blobs (GANTRY_BLOBS) is missing, else in the data folder',
    );
  });
}

/**
 * What core works with; commands that do without a server take it too.
 * @param keys of those that read or write bytes
 */
export function coreDependencies(
  { metadata, blobs }: Stores,
  settings: Partial<KeepingConfig> & {
    createOnPush?: boolean;
    partition?: string;
    mountsByDefault?: boolean;
    lifecycleExtensions?: boolean;
    limitsScans?: boolean;
  },
  limits: Partial<QuotaLimits> = {},
  keys: BlobKeys = noBlobKeys,
): CoreDependencies {
  const now = () => new Date();
  return {
    metadata,
    blobs,
    encryption: createBlobEncryption({ blobs, ...keys, randomBytes }),
    now,
    newId: () => randomUUID(),
    randomBytes: (length) => randomBytes(length),
    settings: { ...DEFAULT_CORE_SETTINGS, ...settings },
    quotas: createQuotaGuard({ ...QUOTA_DEFAULTS, ...limits }, now),
  };
}
