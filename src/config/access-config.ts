import { isIP } from 'node:net';
import { join } from 'node:path';
import { AUDIT_SETTING, COMMAND_SETTINGS, DATA_SETTING } from './access-settings.ts';
import { type DatabaseConfig, databaseOf } from './database-config.ts';
import type { Environment } from './environment.ts';
import { accountIdOf, regionOf } from './registry-config.ts';
import { ConfigError, type Flags, type Given, settingsReader } from './settings-reader.ts';

/** What the operator said about who gets in. */
export interface AccessConfig {
  readonly auth: 'open' | 'enforced';
  /** Undefined keeps the key in memory, as everything else then is. */
  readonly keyFile: string | undefined;
  /** The root key to have, in place of one that is made. */
  readonly rootAccessKey: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly anonymousPull: boolean;
  /** Addresses and ranges such as `10.0.0.0/8`. */
  readonly trustedProxies: readonly string[];
  /** Undefined serves plain HTTP. */
  readonly tls: TlsConfig | undefined;
  /** Whose rates callers are held to; undefined for nobody's. */
  readonly throttle: 'ecr' | undefined;
  /** Undefined keeps no trail. */
  readonly audit: AuditConfig | undefined;
}

export type TlsConfig =
  | { readonly kind: 'self-signed' }
  | { readonly kind: 'files'; readonly certFile: string; readonly keyFile: string };

export interface AuditConfig {
  /** A path, or `stdout`. */
  readonly file: string;
  readonly bytesMax: number;
  /** The present file and those set aside. */
  readonly filesMax: number;
}

/** What the commands that administer access work on. */
export interface AccessCommandConfig extends DatabaseConfig {
  readonly dataDirectory: string;
  readonly keyFile: string;
  /** Undefined keeps no trail. */
  readonly auditFile: string | undefined;
  readonly accountId: string;
  readonly region: string;
}

interface Place {
  readonly host: string;
  readonly isLoopback: boolean;
  readonly dataDirectory: string | undefined;
}

export function readAccess(given: Given, environment: Environment, place: Place): AccessConfig {
  const auth = authOf(given, place);
  const anonymousPull = given.on('anonymous-pull') ?? false;
  if (anonymousPull && auth === 'open') {
    throw new ConfigError('--anonymous-pull has no meaning while every caller is admitted; add --auth enforced');
  }
  return {
    auth,
    keyFile: keyFileOf(given, place.dataDirectory),
    rootAccessKey: rootAccessKeyOf(environment),
    anonymousPull,
    trustedProxies: given.list('trusted-proxy').map(checkCidr),
    tls: tlsOf(given),
    throttle: given.oneOf('throttle', ['off', 'ecr']) === 'ecr' ? 'ecr' : undefined,
    audit: auditOf(given, auth, place.dataDirectory),
  };
}

/** For the commands beside a server; one that opens no stores reads its folder alone. */
export function readAccessCommand(flags: Flags, environment: Environment): AccessCommandConfig {
  const given = settingsReader(COMMAND_SETTINGS, flags, environment);
  const dataDirectory = given.text('data');
  return {
    dataDirectory,
    databaseUrl: databaseOf(given),
    keyFile: keyFileIn(given, dataDirectory),
    auditFile: commandAuditFile(given, dataDirectory),
    accountId: accountIdOf(given, 'account'),
    region: regionOf(given, environment),
  };
}

/** Where `gantry audit` reads. */
export function readAuditFile(flags: Flags, environment: Environment): string {
  const given = settingsReader([DATA_SETTING, AUDIT_SETTING], flags, environment);
  if (!given.isGiven('audit')) return defaultAuditFile(given.text('data'));
  const file = given.text('audit');
  if (file !== 'stdout' && file !== 'off') return file;
  throw new ConfigError(`There is no file to read while --audit (${AUDIT_SETTING.variable}) is ${file}`);
}

function authOf(given: Given, { host, isLoopback }: Place): AccessConfig['auth'] {
  const insecureOpen = given.on('insecure-open') ?? false;
  if (!given.isGiven('auth')) return isLoopback || insecureOpen ? 'open' : 'enforced';
  const auth = given.oneOf('auth', ['open', 'enforced']);
  if (auth === 'enforced' && insecureOpen) {
    throw new ConfigError('--insecure-open admits every caller and --auth enforced does not; give one of them');
  }
  if (auth === 'open' && !isLoopback && !insecureOpen) {
    throw new ConfigError(
      `Every caller is admitted, so listening on ${host} would open the registry to the network. ` +
        'Leave --auth open out, listen on 127.0.0.1, or add --insecure-open (GANTRY_INSECURE_OPEN=true) where the network is trusted.',
    );
  }
  return auth;
}

function keyFileOf(given: Given, dataDirectory: string | undefined): string | undefined {
  if (dataDirectory !== undefined) return keyFileIn(given, dataDirectory);
  return given.isGiven('key-file') ? given.text('key-file') : undefined;
}

/** Variables only: what is typed on a command line can be read by everybody on the machine. */
function rootAccessKeyOf(environment: Environment): AccessConfig['rootAccessKey'] {
  const { GANTRY_ROOT_ACCESS_KEY_ID: accessKeyId, GANTRY_ROOT_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ConfigError('GANTRY_ROOT_ACCESS_KEY_ID and GANTRY_ROOT_SECRET_ACCESS_KEY go together; one is missing');
  }
  if (!/^\w{16,128}$/.test(accessKeyId)) {
    throw new ConfigError('GANTRY_ROOT_ACCESS_KEY_ID must be 16 to 128 letters and digits, such as AKIA and 16 more');
  }
  if (!/^[\x21-\x7e]{16,128}$/.test(secretAccessKey)) {
    throw new ConfigError('GANTRY_ROOT_SECRET_ACCESS_KEY must be 16 to 128 characters of ASCII without spaces');
  }
  return { accessKeyId, secretAccessKey };
}

function checkCidr(cidr: string): string {
  const [, address = '', bits = '0'] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(cidr) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) {
    throw new ConfigError(
      `--trusted-proxy (GANTRY_TRUSTED_PROXY) must be addresses or ranges such as 10.0.0.0/8, not '${cidr}'`,
    );
  }
  return cidr;
}

function tlsOf(given: Given): TlsConfig | undefined {
  const hasCert = given.isGiven('tls-cert');
  if (hasCert !== given.isGiven('tls-key')) {
    const [present, missing] = hasCert ? ['--tls-cert', '--tls-key'] : ['--tls-key', '--tls-cert'];
    throw new ConfigError(`${present} needs ${missing}: a certificate and its key go together`);
  }
  if (given.isGiven('tls')) {
    if (hasCert)
      throw new ConfigError('--tls self-signed makes a certificate and --tls-cert names one; give one of them');
    return { kind: given.oneOf('tls', ['self-signed']) };
  }
  return hasCert ? { kind: 'files', certFile: given.text('tls-cert'), keyFile: given.text('tls-key') } : undefined;
}

function auditOf(given: Given, auth: AccessConfig['auth'], dataDirectory: string | undefined): AuditConfig | undefined {
  const byDefault = auth === 'enforced' && dataDirectory !== undefined ? defaultAuditFile(dataDirectory) : 'off';
  const file = given.isGiven('audit') ? given.text('audit') : byDefault;
  if (file === 'off') return undefined;
  return { file, bytesMax: given.positive('audit-max-bytes'), filesMax: given.positive('audit-max-files') };
}

/** What a command says is read by people or programs, so a trail on standard output gets nothing of it. */
/** The trail that commands add to; undefined where none is kept, or not in a file. */
export function commandAuditFile(given: Given, dataDirectory: string): string | undefined {
  const file = given.isGiven('audit') ? given.text('audit') : defaultAuditFile(dataDirectory);
  return file === 'stdout' || file === 'off' ? undefined : file;
}

/** The key file of a server that works on a data folder. */
export function keyFileIn(given: Given, dataDirectory: string): string {
  return given.isGiven('key-file') ? given.text('key-file') : join(dataDirectory, 'access.key');
}

function defaultAuditFile(dataDirectory: string): string {
  return join(dataDirectory, 'audit.jsonl');
}
