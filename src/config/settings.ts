import {
  ACCESS_SETTINGS,
  ACCOUNT_SETTING,
  AUDIT_SETTING,
  DATA_SETTING,
  KEY_FILE_SETTING,
  REGION_SETTING,
  REGISTRY_SETTINGS,
} from './access-settings.ts';
import { BLOB_DELIVERY_SETTING, BLOBS_SETTING } from './blobs-config.ts';
import { DATABASE_SETTING } from './database-config.ts';
import { KMS_SETTING } from './kms-config.ts';
import { MASTER_KEY_FILE_SETTING } from './master-key-config.ts';
import { SCANNING_SETTINGS } from './scanning-config.ts';
import type { Setting } from './setting.ts';
import { SIGNING_SETTINGS } from './signing-config.ts';

/** How far back deletions and the history of tags go; `serve` and the commands that undo must agree on it. */
export const UNDO_SETTING = {
  flag: 'undo-seconds',
  variable: 'GANTRY_UNDO_SECONDS',
  placeholder: 'seconds',
  description: 'how long deleted images and the history of tags are kept, so that they can be restored; 0: not at all',
  default: '1209600',
} as const satisfies Setting;

/** How long things are kept; `serve` and `garbage` must agree on it. */
export const KEEPING_SETTINGS = [
  {
    flag: 'layer-lease-seconds',
    variable: 'GANTRY_LAYER_LEASE_SECONDS',
    placeholder: 'seconds',
    description: 'how long a layer that no image uses is kept',
    default: '86400',
  },
  {
    flag: 'upload-idle-seconds',
    variable: 'GANTRY_UPLOAD_IDLE_SECONDS',
    placeholder: 'seconds',
    description: 'after how long without a byte an upload is forgotten',
    default: '86400',
  },
  UNDO_SETTING,
  {
    flag: 'orphan-seconds',
    variable: 'GANTRY_ORPHAN_SECONDS',
    placeholder: 'seconds',
    description: 'how old files that no record names must be before garbage collection takes them',
    default: '3600',
  },
] as const satisfies Setting[];

/** `serve` keeps to it and `usage` shows it. */
export const QUOTA_SETTING = {
  flag: 'quota',
  variable: 'GANTRY_QUOTAS',
  placeholder: 'name=number',
  description:
    "a limit in place of ECR's, such as images-per-repository=200000 (gantry usage lists all); several times, or with commas between",
  repeats: true,
} as const satisfies Setting;

export const ARCHIVE_SETTING = {
  flag: 'archive-dir',
  variable: 'GANTRY_ARCHIVE_DIR',
  placeholder: 'folder',
  description:
    'second folder, on a cheaper disk, for the bytes of archived images; they stay where they are without it',
} as const satisfies Setting;

/** Of the commands that work on a data folder. */
export const FOLDER_SETTINGS = [
  DATA_SETTING,
  DATABASE_SETTING,
  ARCHIVE_SETTING,
  BLOBS_SETTING,
  KMS_SETTING,
  KEY_FILE_SETTING,
  MASTER_KEY_FILE_SETTING,
  ...KEEPING_SETTINGS,
];

/** Of the commands about events, which are of every account and region. */
export const EVENT_SETTINGS = [DATA_SETTING, DATABASE_SETTING, KEY_FILE_SETTING, AUDIT_SETTING];

/** What lifecycle policies may say; `serve` and the commands that apply them must agree on it. */
export const LIFECYCLE_EXTENSIONS_SETTING = {
  flag: 'lifecycle-extensions',
  variable: 'GANTRY_LIFECYCLE_EXTENSIONS',
  description:
    'take lifecycle policies that say what those of ECR cannot: expiry of what nobody pulls, exclusions, an index as one image',
} as const satisfies Setting;

/** Of the commands that tell what tags were on and put them back. */
export const TAG_SETTINGS = [
  DATA_SETTING,
  DATABASE_SETTING,
  ACCOUNT_SETTING,
  REGION_SETTING,
  AUDIT_SETTING,
  UNDO_SETTING,
  QUOTA_SETTING,
];

/** Of `usage`. */
export const USAGE_SETTINGS = [DATA_SETTING, DATABASE_SETTING, ACCOUNT_SETTING, REGION_SETTING, QUOTA_SETTING];

export const SERVE_SETTINGS = [
  {
    flag: 'port',
    variable: 'GANTRY_PORT',
    placeholder: 'number',
    description: 'port to listen on; 0 picks a free one',
    default: '4510',
  },
  {
    flag: 'host',
    variable: 'GANTRY_HOST',
    placeholder: 'address',
    description: 'address to listen on',
    default: '127.0.0.1',
  },
  DATA_SETTING,
  DATABASE_SETTING,
  ARCHIVE_SETTING,
  BLOBS_SETTING,
  BLOB_DELIVERY_SETTING,
  KMS_SETTING,
  MASTER_KEY_FILE_SETTING,
  ...REGISTRY_SETTINGS,
  {
    flag: 'registry-host',
    variable: 'GANTRY_REGISTRY_HOST',
    placeholder: 'template',
    description: 'host of a registry in repositoryUri, for example {account}.dkr.ecr.{region}.example.com',
  },
  {
    flag: 'public-url',
    variable: 'GANTRY_PUBLIC_URL',
    placeholder: 'url',
    description: 'scheme and host under which clients reach this server, when a proxy stands before it',
  },
  {
    flag: 'create-on-push',
    variable: 'GANTRY_CREATE_ON_PUSH',
    description: 'a docker push makes the repository it needs (on by default while the server is open on loopback)',
  },
  {
    flag: 'allow-private-upstreams',
    variable: 'GANTRY_ALLOW_PRIVATE_UPSTREAMS',
    description:
      'let pull through cache rules reach registries on this machine and in private networks, also over http; whoever may make rules reaches them then',
  },
  ...ACCESS_SETTINGS,
  {
    flag: 'ephemeral',
    variable: 'GANTRY_EPHEMERAL',
    description: 'keep everything in memory; it is gone when the server stops',
  },
  {
    flag: 'garbage-interval-seconds',
    variable: 'GANTRY_GARBAGE_INTERVAL_SECONDS',
    placeholder: 'seconds',
    description: 'how often garbage collection runs; 0 turns it off',
    default: '3600',
  },
  {
    flag: 'lifecycle-interval-seconds',
    variable: 'GANTRY_LIFECYCLE_INTERVAL_SECONDS',
    placeholder: 'seconds',
    description: 'how often lifecycle policies are applied; 0 turns it off',
    default: '3600',
  },
  LIFECYCLE_EXTENSIONS_SETTING,
  ...SCANNING_SETTINGS,
  ...SIGNING_SETTINGS,
  ...KEEPING_SETTINGS,
  QUOTA_SETTING,
  {
    flag: 'pull-time-flush-seconds',
    variable: 'GANTRY_PULL_TIME_FLUSH_SECONDS',
    placeholder: 'seconds',
    description: 'how often the times of pulls, which are noted in memory, are recorded',
    default: '15',
  },
  {
    flag: 'idle-seconds',
    variable: 'GANTRY_IDLE_SECONDS',
    placeholder: 'seconds',
    description: 'after how long without a byte a client is cut off',
    default: '120',
  },
  {
    flag: 'stop-seconds',
    variable: 'GANTRY_STOP_SECONDS',
    placeholder: 'seconds',
    description: 'how long requests under way may take to finish when the server is told to stop',
    default: '20',
  },
  {
    flag: 'log-level',
    variable: 'GANTRY_LOG_LEVEL',
    placeholder: 'level',
    description: 'debug, info (every request), warn, error or silent',
    default: 'warn',
  },
] as const satisfies Setting[];
