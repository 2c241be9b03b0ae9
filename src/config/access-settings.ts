import { DATABASE_SETTING } from './database-config.ts';
import type { Setting } from './setting.ts';

export const DATA_SETTING: Setting = {
  flag: 'data',
  variable: 'GANTRY_DATA_DIR',
  placeholder: 'folder',
  description: 'folder that holds everything the registry keeps',
  default: './data',
};

export const REGION_SETTING: Setting = {
  flag: 'region',
  variable: 'GANTRY_REGION',
  placeholder: 'name',
  description: 'region of the default registry (else AWS_REGION, else us-east-1)',
};

/** Which registry is meant when nothing else says so. */
export const REGISTRY_SETTINGS = [
  {
    flag: 'account-id',
    variable: 'GANTRY_ACCOUNT_ID',
    placeholder: 'digits',
    description: 'twelve digits: the account of the default registry',
    default: '000000000000',
  },
  REGION_SETTING,
] as const satisfies Setting[];

/** The key file; `serve` and the commands that make credentials must agree on it. */
export const KEY_FILE_SETTING = {
  flag: 'key-file',
  variable: 'GANTRY_KEY_FILE',
  placeholder: 'file',
  description:
    'file of the key under which secret access keys are kept, made when missing; else access.key in the data folder',
} as const satisfies Setting;

/** The audit trail; `serve` writes it and `audit` reads it. */
export const AUDIT_SETTING = {
  flag: 'audit',
  variable: 'GANTRY_AUDIT',
  placeholder: 'file',
  description:
    'file of the audit trail, stdout, or off; else audit.jsonl in the data folder (from serve only where access is enforced)',
} as const satisfies Setting;

/** Who gets in, how they reach the server, and what is kept of it. */
export const ACCESS_SETTINGS = [
  {
    flag: 'auth',
    variable: 'GANTRY_AUTH',
    placeholder: 'mode',
    description:
      'open admits every caller, enforced asks for credentials and policies; enforced unless the host is loopback. The first ' +
      'root key is made, or taken from GANTRY_ROOT_ACCESS_KEY_ID and GANTRY_ROOT_SECRET_ACCESS_KEY',
  },
  {
    flag: 'insecure-open',
    variable: 'GANTRY_INSECURE_OPEN',
    description: 'listen beyond loopback and admit every caller all the same',
  },
  KEY_FILE_SETTING,
  {
    flag: 'anonymous-pull',
    variable: 'GANTRY_ANONYMOUS_PULL',
    description: 'let clients without credentials pull where a repository policy lets everybody (Principal *)',
  },
  {
    flag: 'trusted-proxy',
    variable: 'GANTRY_TRUSTED_PROXY',
    placeholder: 'cidr',
    description: 'addresses of proxies whose X-Forwarded headers count; several times, or with commas between',
    repeats: true,
  },
  {
    flag: 'tls',
    variable: 'GANTRY_TLS',
    placeholder: 'how',
    description: 'self-signed makes a certificate authority and a certificate in the data folder',
  },
  {
    flag: 'tls-cert',
    variable: 'GANTRY_TLS_CERT',
    placeholder: 'file',
    description: 'certificate chain in PEM; read again when it changes',
  },
  {
    flag: 'tls-key',
    variable: 'GANTRY_TLS_KEY',
    placeholder: 'file',
    description: 'private key of --tls-cert in PEM',
  },
  {
    flag: 'throttle',
    variable: 'GANTRY_THROTTLE',
    placeholder: 'rates',
    description: "ecr refuses callers that ask faster than ECR's published rates allow; off does not",
    default: 'off',
  },
  AUDIT_SETTING,
  {
    flag: 'audit-max-bytes',
    variable: 'GANTRY_AUDIT_MAX_BYTES',
    placeholder: 'bytes',
    description: 'size at which the audit file is set aside and a new one begun',
    default: '104857600',
  },
  {
    flag: 'audit-max-files',
    variable: 'GANTRY_AUDIT_MAX_FILES',
    placeholder: 'number',
    description: 'how many audit files are kept, the present one among them',
    default: '10',
  },
] as const satisfies Setting[];

/** Of the commands about one account. */
export const ACCOUNT_SETTING = {
  flag: 'account',
  variable: 'GANTRY_ACCOUNT_ID',
  placeholder: 'digits',
  description: 'twelve digits: the account that is meant',
  default: '000000000000',
} as const satisfies Setting;

/** Of the commands that administer access. */
export const COMMAND_SETTINGS = [
  DATA_SETTING,
  DATABASE_SETTING,
  ACCOUNT_SETTING,
  REGION_SETTING,
  KEY_FILE_SETTING,
  AUDIT_SETTING,
] as const satisfies Setting[];
