/** One thing an operator can set: a flag, and the variable that stands for it. The flag wins. */
export interface Setting {
  /** Without the dashes; `no-` before a switch turns it off. */
  readonly flag: string;
  readonly variable: string;
  /** The flag's placeholder in `--help`; absent for a switch. */
  readonly placeholder?: string;
  readonly description: string;
  readonly default?: string;
}

export const DATA_SETTING: Setting = {
  flag: 'data',
  variable: 'GANTRY_DATA_DIR',
  placeholder: 'folder',
  description: 'folder that holds everything the registry keeps',
  default: './data',
};

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
  {
    flag: 'orphan-seconds',
    variable: 'GANTRY_ORPHAN_SECONDS',
    placeholder: 'seconds',
    description: 'how old files that no record names must be before garbage collection takes them',
    default: '3600',
  },
] as const satisfies Setting[];

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
  {
    flag: 'account-id',
    variable: 'GANTRY_ACCOUNT_ID',
    placeholder: 'digits',
    description: 'twelve digits: the account of the default registry',
    default: '000000000000',
  },
  {
    flag: 'region',
    variable: 'GANTRY_REGION',
    placeholder: 'name',
    description: 'region of the default registry (else AWS_REGION, else us-east-1)',
  },
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
    flag: 'insecure-open',
    variable: 'GANTRY_INSECURE_OPEN',
    description: 'listen beyond loopback although every caller is admitted',
  },
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
  ...KEEPING_SETTINGS,
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
