import { BLOBS_SETTING, type BucketConfig, bucketOf } from './blobs-config.ts';
import { type FolderConfig, readFolderConfig } from './config.ts';
import { DATABASE_SETTING, databaseOf } from './database-config.ts';
import type { Environment } from './environment.ts';
import { MASTER_KEY_FILE_SETTING } from './master-key-config.ts';
import type { Setting } from './setting.ts';
import { ConfigError, type Flags, settingsReader } from './settings-reader.ts';

/** Where a registry's facts and bytes are, as `serve` is told of it. */
export interface PlaceConfig {
  readonly dataDirectory: string;
  /** Undefined: facts are in the data folder. */
  readonly databaseUrl: string | undefined;
  /** Undefined: bytes are in the data folder. */
  readonly bucket: BucketConfig | undefined;
  readonly archiveDirectory: string | undefined;
  readonly masterKeyFile: string | undefined;
}

/** Both sides know the same keys. */
export interface MoveConfig extends Pick<FolderConfig, 'kms' | 'keyFile'> {
  readonly from: PlaceConfig;
  readonly to: PlaceConfig;
}

/** Where `move` takes a registry; what is not named stays where it is. */
export const MOVE_SETTINGS = [
  {
    flag: 'to-database',
    variable: 'GANTRY_TO_DATABASE_URL',
    placeholder: 'url',
    description: 'PostgreSQL database to carry all facts to, as for --database-url; better given in the variable',
  },
  {
    flag: 'to-blobs',
    variable: 'GANTRY_TO_BLOBS',
    placeholder: 'url',
    description:
      'bucket to copy all bytes to, as for --blobs; its credentials may be in GANTRY_TO_S3_ACCESS_KEY_ID and GANTRY_TO_S3_SECRET_ACCESS_KEY',
  },
  {
    flag: 'to-data',
    variable: 'GANTRY_TO_DATA_DIR',
    placeholder: 'folder',
    description: 'data folder to take the registry to, but for what --to-database or --to-blobs take elsewhere',
  },
  {
    flag: 'to-archive-dir',
    variable: 'GANTRY_TO_ARCHIVE_DIR',
    placeholder: 'folder',
    description: 'with --to-data: second folder for the bytes of archived images, as for --archive-dir',
  },
] as const satisfies Setting[];

/** @throws ConfigError when nothing is to move, or it has no place to go */
export function readMoveConfig(flags: Flags, environment: Environment): MoveConfig {
  const { kms, keyFile, ...from } = readSource(flags, environment);
  const given = settingsReader(MOVE_SETTINGS, flags, environment);
  const toData = given.isGiven('to-data') ? given.text('to-data') : undefined;
  const database = namingTarget(() => databaseOf(targetReader(flags, environment)));
  const bucket = namingTarget(() => bucketOf(targetReader(flags, environment), targetEnvironment(environment)));
  if (toData === undefined && database === undefined && bucket === undefined) {
    throw new ConfigError('Say where the registry is to go: --to-database, --to-blobs or --to-data');
  }
  const archive = given.isGiven('to-archive-dir') ? given.text('to-archive-dir') : undefined;
  if (archive !== undefined && (toData === undefined || bucket !== undefined)) {
    throw new ConfigError('--to-archive-dir is for bytes that go to a folder: give it with --to-data');
  }
  const stays = toData === undefined;
  const to = {
    dataDirectory: toData ?? from.dataDirectory,
    databaseUrl: database ?? (stays ? from.databaseUrl : undefined),
    bucket: bucket ?? (stays ? from.bucket : undefined),
  };
  const archiveDirectory = stays && to.bucket === undefined ? from.archiveDirectory : archive;
  const masterKeyFile = to.bucket === undefined ? masterKeyFileOf(flags, environment) : undefined;
  return { from, to: { ...to, archiveDirectory, masterKeyFile }, kms, keyFile };
}

/** A master key may be that of the target alone, where the source has a bucket that takes none. */
function readSource(flags: Flags, environment: Environment): FolderConfig {
  const given = settingsReader([BLOBS_SETTING], flags, environment);
  if (!given.isGiven(BLOBS_SETTING.flag)) return readFolderConfig(flags, environment);
  const without = [
    { ...flags, 'master-key-file': undefined },
    { ...environment, GANTRY_MASTER_KEY_FILE: undefined },
  ] as const;
  return readFolderConfig(...without);
}

function masterKeyFileOf(flags: Flags, environment: Environment): string | undefined {
  const given = settingsReader([MASTER_KEY_FILE_SETTING], flags, environment);
  return given.isGiven(MASTER_KEY_FILE_SETTING.flag) ? given.text(MASTER_KEY_FILE_SETTING.flag) : undefined;
}

/** The settings of a target are read as those of a registry that is there already. */
function targetReader(flags: Flags, environment: Environment) {
  const settings = [
    { ...DATABASE_SETTING, variable: 'GANTRY_TO_DATABASE_URL' },
    { ...BLOBS_SETTING, variable: 'GANTRY_TO_BLOBS' },
  ];
  return settingsReader(settings, { 'database-url': flags['to-database'], blobs: flags['to-blobs'] }, environment);
}

function targetEnvironment(environment: Environment): Environment {
  const { GANTRY_TO_S3_ACCESS_KEY_ID: id, GANTRY_TO_S3_SECRET_ACCESS_KEY: secret } = environment;
  if (id === undefined && secret === undefined) return environment;
  return { ...environment, GANTRY_S3_ACCESS_KEY_ID: id, GANTRY_S3_SECRET_ACCESS_KEY: secret };
}

function namingTarget<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const message = error.message
      .replace(/--database-url \(\w+\)/, '--to-database (GANTRY_TO_DATABASE_URL)')
      .replace(/--blobs \(\w+\)/, '--to-blobs (GANTRY_TO_BLOBS)');
    throw new ConfigError(message);
  }
}
