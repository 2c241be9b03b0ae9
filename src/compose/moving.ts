import { randomBytes, randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { MoveConfig, PlaceConfig } from '../config/move-config.ts';
import { ConfigError } from '../config/settings-reader.ts';
import type { BlobStore } from '../core/blob-store.ts';
import { createBlobEncryption } from '../core/encryption/blob-encryption.ts';
import type { MetadataStore } from '../core/metadata-store.ts';
import type { TableCount } from '../core/moving/facts-carrier.ts';
import { MoveError } from '../core/moving/move-error.ts';
import type { RegistryPlace } from '../core/moving/move-records.ts';
import type { Moving } from '../core/moving/moving.ts';
import { makeRoot } from '../drivers/blobs/filesystem/folders.ts';
import { FolderLockedError, lockFolder } from '../drivers/folder-lock.ts';
import { countFacts, createFactsCarrier, firstFilledOf } from '../drivers/metadata/carry-facts.ts';
import { bringToPresentForm, formOf, PRESENT_FORM } from '../drivers/metadata/migrate.ts';
import type { SqlDatabase } from '../drivers/metadata/session.ts';
import { sqlMetadataStore } from '../drivers/metadata/sql.ts';
import { openSqliteDatabase } from '../drivers/metadata/sqlite.ts';
import { openBlobKeys } from './blob-keys.ts';
import { registryPlaceOf } from './registry-place.ts';
import { openBlobs, requireArchive } from './stores.ts';

export type MoveOptions = Pick<Moving, 'concurrency' | 'readsAgain' | 'signal' | 'onProgress'>;

export type OpenMoving = Moving & AsyncDisposable;

/**
 * Opens both sides of a move. A folder that the registry goes to is held from the beginning, the one that it comes from with
 * `requireAlone`.
 *
 * @throws MoveError when a side cannot be used, with the reason
 */
export async function openMoving(config: MoveConfig, options: MoveOptions): Promise<OpenMoving> {
  const { from, to } = config;
  await using opening = new AsyncDisposableStack();
  const places = { from: registryPlaceOf(from), to: registryPlaceOf(to) };
  const movesFacts = places.from.facts !== places.to.facts;
  const movesBytes = places.from.bytes !== places.to.bytes;
  if (!movesFacts && !movesBytes) throw new ConfigError('The registry is there already: nothing is to move');
  const source = opening.use(await openSource(from, places.from));
  if (movesBytes) await requireArchive(from, source.metadata);
  const folders = { from: resolve(from.dataDirectory), to: resolve(to.dataDirectory) };
  const usesFolder = (movesFacts && to.databaseUrl === undefined) || (movesBytes && to.bucket === undefined);
  if (usesFolder) await named(folders.to, makeRoot(folders.to));
  if (usesFolder && folders.to !== folders.from) opening.use(lock(folders.to));
  const facts = movesFacts ? opening.use(await openTargetFacts(to, places.to)) : undefined;
  const bytes = movesBytes ? opening.use(await openTargetBytes(to, places.to)) : undefined;
  const blobs = { from: source.blobs, to: bytes ?? source.blobs };
  const encryptionOf = async (side: PlaceConfig, store: BlobStore) => {
    // Keys in the registry's own database are read where it is: they come to the target with all other facts.
    const keys = opening.use(await openBlobKeys(source, { ...config, ...side }));
    return createBlobEncryption({ blobs: store, ...keys, randomBytes });
  };
  const encryptions = { from: await encryptionOf(from, blobs.from), to: await encryptionOf(to, blobs.to) };
  const sourceHold = opening.use(new DisposableStack());
  const opened = opening.move();
  return {
    ...options,
    now: () => new Date(),
    newId: () => randomUUID(),
    source: {
      place: places.from,
      metadata: source.metadata,
      blobs: blobs.from,
      encryption: encryptions.from,
      encryptsItself: from.bucket?.sse !== undefined,
    },
    target: {
      place: places.to,
      metadata: facts?.metadata ?? source.metadata,
      blobs: blobs.to,
      encryption: encryptions.to,
      encryptsItself: to.bucket?.sse !== undefined,
    },
    carrier: facts && createFactsCarrier(source.database, facts.database),
    requireAlone: requireAlone(from, places.from, { source, hold: sourceHold }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

export interface OpenSource extends AsyncDisposable {
  readonly database: SqlDatabase;
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  countFacts(): Promise<TableCount[]>;
}

/** Opens a registry as it is: one that an earlier Gantry wrote, and perhaps serves, is not brought to the present form. */
export async function openSource(from: PlaceConfig, place: RegistryPlace): Promise<OpenSource> {
  await using opening = new AsyncDisposableStack();
  const file = join(resolve(from.dataDirectory), 'gantry.db');
  if (from.databaseUrl === undefined && (await stat(file).catch(() => undefined)) === undefined) {
    throw new MoveError(`There is no registry in ${place.facts}`);
  }
  const database = opening.use(await named(place.facts, openFacts(from)));
  const form = await formOf(database);
  if (form === 0) throw new MoveError(`There is no registry in ${place.facts}`);
  if (form !== PRESENT_FORM) {
    const whose = form < PRESENT_FORM ? 'start this Gantry on it once' : 'use the newer Gantry that wrote it';
    throw new MoveError(
      `The registry in ${place.facts} has form ${form}, and this Gantry has ${PRESENT_FORM}: ${whose}`,
    );
  }
  const blobs = opening.use(await named(place.bytes, openBlobs(folderOf(from), bytesOf(from))));
  const opened = opening.move();
  const metadata = sqlMetadataStore(database);
  return {
    database,
    metadata,
    blobs,
    countFacts: () => countFacts(database),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function openTargetFacts(to: PlaceConfig, place: RegistryPlace) {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await named(place.facts, openFacts(to)));
  const form = await formOf(database);
  // Killed while it made its tables, a move leaves an early form behind, with nothing in it.
  const isEmpty = form < PRESENT_FORM && (await firstFilledOf(database)) === undefined;
  if (form !== PRESENT_FORM && !isEmpty) {
    throw new MoveError(`${place.facts} holds a registry of form ${form} already: a move needs a place that is empty`);
  }
  await named(place.facts, bringToPresentForm(database));
  const opened = opening.move();
  return { database, metadata: sqlMetadataStore(database), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function openTargetBytes(to: PlaceConfig, place: RegistryPlace): Promise<BlobStore> {
  const blobs = await named(place.bytes, openBlobs(folderOf(to), bytesOf(to)));
  try {
    await named(place.bytes, blobs.ready());
    return blobs;
  } catch (error) {
    await blobs[Symbol.asyncDispose]();
    throw error;
  }
}

/** A name by which servers are told from this: while there is one of theirs, nothing is switched. */
const APPLICATION = 'gantry-move';

async function openFacts({ databaseUrl, dataDirectory }: PlaceConfig): Promise<SqlDatabase> {
  if (databaseUrl === undefined) return openSqliteDatabase({ file: join(resolve(dataDirectory), 'gantry.db') });
  const { openPostgresDatabase } = await import('../drivers/metadata/postgres.ts');
  const url = new URL(databaseUrl);
  url.searchParams.set('application_name', APPLICATION);
  return openPostgresDatabase({ url: url.href });
}

function folderOf({ dataDirectory }: PlaceConfig): string {
  return resolve(dataDirectory);
}

function bytesOf({ archiveDirectory, bucket }: PlaceConfig) {
  return { archiveDirectory, bucket: bucket && { ...bucket, links: false } };
}

/** Takes the source's folder at the first call; it is held until the move is closed. */
function requireAlone(
  from: PlaceConfig,
  place: RegistryPlace,
  { source: { database }, hold }: { source: OpenSource; hold: DisposableStack },
) {
  const isInFolder = from.databaseUrl === undefined || from.bucket === undefined;
  let isHeld = false;
  return async () => {
    if (isInFolder && !isHeld) hold.use(lock(resolve(from.dataDirectory)));
    isHeld = true;
    const others = await database.othersAtWork();
    if (others === 0) return;
    throw new MoveError(
      `Servers or commands work on ${place.facts} (${others} connections): stop them, then run this again`,
    );
  };
}

function lock(folder: string): Disposable {
  try {
    return lockFolder(join(folder, 'serve.lock'));
  } catch (error) {
    if (!(error instanceof FolderLockedError)) throw error;
    throw new MoveError(`A server works on ${folder}: stop it, then run this again`);
  }
}

/** What a side says about itself is told with its name. */
async function named<T>(place: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TypeError) throw error;
    throw new MoveError(`${place}: ${(error as Error).message}`, { cause: error });
  }
}
