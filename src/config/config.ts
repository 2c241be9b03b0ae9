import { type AccessConfig, commandAuditFile, keyFileIn, readAccess } from './access-config.ts';
import { type BucketConfig, bucketOf } from './blobs-config.ts';
import { type DatabaseConfig, databaseOf } from './database-config.ts';
import type { Environment } from './environment.ts';
import { type KmsConfig, kmsOf } from './kms-config.ts';
import { masterKeyFileOf } from './master-key-config.ts';
import { accountIdOf, isLoopbackHost, regionOf } from './registry-config.ts';
import { readScanning, type ScanningConfig } from './scanning-config.ts';
import { FOLDER_SETTINGS, SERVE_SETTINGS, TAG_SETTINGS, USAGE_SETTINGS } from './settings.ts';
import { ConfigError, type Flags, type Given, settingsReader } from './settings-reader.ts';
import { readSigning, type SigningConfig } from './signing-config.ts';

/** What the operator meant, checked. */
export interface ServeConfig extends KeepingConfig, AccessConfig, DatabaseConfig, ScanningConfig, SigningConfig {
  readonly host: string;
  readonly port: number;
  /** Undefined keeps everything in memory. */
  readonly dataDirectory: string | undefined;
  /** Undefined: bytes of archived images stay where they are. */
  readonly archiveDirectory: string | undefined;
  /** Undefined: bytes are in the data folder. */
  readonly bucket: BucketConfig | undefined;
  /** Whether clients are sent to the bucket for their downloads. */
  readonly bucketLinks: boolean;
  readonly kms: KmsConfig;
  /** Undefined: what is encrypted with AES256 is kept plain. */
  readonly masterKeyFile: string | undefined;
  readonly accountId: string;
  readonly region: string;
  readonly registryHost: string | undefined;
  readonly publicUrl: string | undefined;
  readonly createOnPush: boolean;
  readonly allowPrivateUpstreams: boolean;
  /** 0 for never. */
  readonly garbageIntervalSeconds: number;
  /** 0 for never. */
  readonly lifecycleIntervalSeconds: number;
  readonly lifecycleExtensions: boolean;
  readonly quotas: ReadonlyMap<string, number>;
  readonly pullTimeFlushSeconds: number;
  readonly idleSeconds: number;
  readonly stopSeconds: number;
  readonly logLevel: LogLevel;
}

export interface FolderConfig extends KeepingConfig, DatabaseConfig {
  readonly dataDirectory: string;
  /** Undefined: bytes of archived images stay where they are. */
  readonly archiveDirectory: string | undefined;
  /** Undefined: bytes are in the data folder. */
  readonly bucket: BucketConfig | undefined;
  readonly kms: KmsConfig;
  /** Where the key is that local keys are sealed under. */
  readonly keyFile: string;
  readonly masterKeyFile: string | undefined;
}

export interface KeepingConfig {
  readonly layerLeaseSeconds: number;
  readonly uploadIdleSeconds: number;
  readonly undoSeconds: number;
  readonly orphanSeconds: number;
}

export type UsageConfig = Pick<ServeConfig, 'accountId' | 'region' | 'quotas' | 'databaseUrl'> & {
  readonly dataDirectory: string;
};

export type LogLevel = (typeof LOG_LEVELS)[number];

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** What the commands that undo work on. */
export interface TagConfig extends DatabaseConfig {
  readonly dataDirectory: string;
  readonly accountId: string;
  readonly region: string;
  /** Undefined keeps no trail. */
  readonly auditFile: string | undefined;
  readonly undoSeconds: number;
  readonly quotas: ReadonlyMap<string, number>;
}

export function readServeConfig(flags: Flags, environment: Environment): ServeConfig {
  const given = settingsReader(SERVE_SETTINGS, flags, environment);
  const host = given.text('host');
  const isLoopback = isLoopbackHost(host);
  const ephemeral = given.on('ephemeral') ?? false;
  if (ephemeral && given.isGiven('data')) {
    throw new ConfigError('--ephemeral keeps everything in memory and --data in a folder; give one of them');
  }
  const archiveDirectory = archiveOf(given);
  if (ephemeral && archiveDirectory !== undefined) {
    throw new ConfigError('--ephemeral keeps everything in memory, where there is no --archive-dir');
  }
  const dataDirectory = ephemeral ? undefined : given.text('data');
  const bucket = bucketWithoutArchiveOf(given, environment);
  if (ephemeral && bucket !== undefined) {
    throw new ConfigError('--ephemeral keeps everything in memory and --blobs in a bucket; give one of them');
  }
  const databaseUrl = databaseOf(given);
  if (ephemeral && databaseUrl !== undefined) {
    throw new ConfigError('--ephemeral keeps everything in memory and --database-url in a database; give one of them');
  }
  const access = readAccess(given, environment, { host, isLoopback, dataDirectory });
  return {
    host,
    port: given.whole('port', 65535),
    dataDirectory,
    databaseUrl,
    archiveDirectory,
    bucket,
    bucketLinks: given.oneOf('blob-delivery', ['redirect', 'proxy']) === 'redirect',
    kms: kmsOf(given, environment),
    masterKeyFile: masterKeyFileOf(given, bucket),
    ...access,
    accountId: accountIdOf(given, 'account-id'),
    region: regionOf(given, environment),
    registryHost: hostTemplateOf(given),
    publicUrl: publicUrlOf(given),
    createOnPush: given.on('create-on-push') ?? (isLoopback && access.auth === 'open'),
    allowPrivateUpstreams: given.on('allow-private-upstreams') ?? false,
    garbageIntervalSeconds: given.whole('garbage-interval-seconds'),
    lifecycleIntervalSeconds: given.whole('lifecycle-interval-seconds'),
    lifecycleExtensions: given.on('lifecycle-extensions') ?? false,
    ...readScanning(given, environment, dataDirectory),
    ...readSigning(given),
    ...keepingOf(given),
    quotas: quotasOf(given),
    pullTimeFlushSeconds: given.positive('pull-time-flush-seconds'),
    idleSeconds: given.whole('idle-seconds'),
    stopSeconds: given.whole('stop-seconds'),
    logLevel: given.oneOf('log-level', LOG_LEVELS),
  };
}

/** For the commands that work on a data folder. */
export function readFolderConfig(flags: Flags, environment: Environment): FolderConfig {
  const given = settingsReader(FOLDER_SETTINGS, flags, environment);
  const bucket = bucketWithoutArchiveOf(given, environment);
  const dataDirectory = given.text('data');
  return {
    dataDirectory,
    databaseUrl: databaseOf(given),
    archiveDirectory: archiveOf(given),
    bucket,
    kms: kmsOf(given, environment),
    keyFile: keyFileIn(given, dataDirectory),
    masterKeyFile: masterKeyFileOf(given, bucket),
    ...keepingOf(given),
  };
}

function bucketWithoutArchiveOf(given: Given, environment: Environment): BucketConfig | undefined {
  const bucket = bucketOf(given, environment);
  if (bucket === undefined || archiveOf(given) === undefined) return bucket;
  throw new ConfigError('--archive-dir is for bytes that are in the data folder, and --blobs keeps them in a bucket');
}

function archiveOf(given: Given): string | undefined {
  return given.isGiven('archive-dir') ? given.text('archive-dir') : undefined;
}

/** For `usage`. */
export function readUsageConfig(flags: Flags, environment: Environment): UsageConfig {
  const given = settingsReader(USAGE_SETTINGS, flags, environment);
  return {
    dataDirectory: given.text('data'),
    databaseUrl: databaseOf(given),
    accountId: accountIdOf(given, 'account'),
    region: regionOf(given, environment),
    quotas: quotasOf(given),
  };
}

/** For the commands that tell what tags were on and put them back. */
export function readTagConfig(flags: Flags, environment: Environment): TagConfig {
  const given = settingsReader(TAG_SETTINGS, flags, environment);
  const dataDirectory = given.text('data');
  return {
    dataDirectory,
    databaseUrl: databaseOf(given),
    accountId: accountIdOf(given, 'account'),
    region: regionOf(given, environment),
    auditFile: commandAuditFile(given, dataDirectory),
    undoSeconds: given.whole('undo-seconds'),
    quotas: quotasOf(given),
  };
}

function keepingOf(given: Given): KeepingConfig {
  return {
    layerLeaseSeconds: given.whole('layer-lease-seconds'),
    uploadIdleSeconds: given.whole('upload-idle-seconds'),
    undoSeconds: given.whole('undo-seconds'),
    orphanSeconds: given.whole('orphan-seconds'),
  };
}

/** By name, as the operator gave them; whether there are such quotas only core can say. */
function quotasOf(given: Given): Map<string, number> {
  const pairs = given.list('quota').map((pair): [string, number] => {
    const [, name, limit] = /^([a-z-]+)=([0-9]{1,15})$/.exec(pair) ?? [];
    if (name !== undefined && limit !== undefined) return [name, Number(limit)];
    throw new ConfigError(`--quota (GANTRY_QUOTAS) must be name=number such as tags-per-image=2000, not '${pair}'`);
  });
  return new Map(pairs);
}

function hostTemplateOf(given: Given): string | undefined {
  if (!given.isGiven('registry-host')) return undefined;
  const form = 'a host name such as {account}.dkr.ecr.{region}.example.com, with a port if it needs one';
  return given.matching('registry-host', /^[a-zA-Z0-9.{}-]+(:[0-9]{1,5})?$/, form);
}

function publicUrlOf(given: Given): string | undefined {
  if (!given.isGiven('public-url')) return undefined;
  const form = 'scheme and host, such as https://registry.example.com';
  const url = given.matching('public-url', /^https?:\/\/[^/?#@\s]+\/?$/, form);
  return url.replace(/\/$/, '');
}
