import { join } from 'node:path';
import { DATA_SETTING } from './access-settings.ts';
import type { Environment } from './environment.ts';
import type { Setting } from './setting.ts';
import { ConfigError, type Flags, type Given, settingsReader } from './settings-reader.ts';

/** `serve` and the commands about the database must agree on it. */
export const VULNERABILITY_DATABASE_SETTING = {
  flag: 'vulnerability-db',
  variable: 'GANTRY_VULNERABILITY_DB',
  placeholder: 'file',
  description: 'the database of vulnerabilities that scans ask (default vulnerabilities.db in the data folder)',
} as const satisfies Setting;

export const VULNERABILITY_DATABASE_SETTINGS = [DATA_SETTING, VULNERABILITY_DATABASE_SETTING] as const;

export const SCANNING_SETTINGS = [
  VULNERABILITY_DATABASE_SETTING,
  {
    flag: 'scanner',
    variable: 'GANTRY_SCANNER',
    placeholder: 'builtin|trivy',
    description: 'what judges packages: builtin, by the database of vulnerabilities; trivy, by Trivy and its database',
    default: 'builtin',
  },
  {
    flag: 'trivy-binary',
    variable: 'GANTRY_TRIVY_BINARY',
    placeholder: 'path',
    description:
      'the program of Trivy, with --scanner trivy; without a slash it is looked for in /usr/local/bin and the like',
    default: 'trivy',
  },
  {
    flag: 'trivy-cache',
    variable: 'GANTRY_TRIVY_CACHE',
    placeholder: 'dir',
    description: 'where Trivy keeps its database, which nothing here downloads (default trivy in the data folder)',
  },
  {
    flag: 'trivy-server',
    variable: 'GANTRY_TRIVY_SERVER',
    placeholder: 'url',
    description:
      'a server of Trivy that has the database instead; --trivy-binary is its client. ' +
      'Its token, where it asks for one, is taken from GANTRY_TRIVY_SERVER_TOKEN',
  },
  {
    flag: 'scan-limit',
    variable: 'GANTRY_SCAN_LIMIT',
    placeholder: 'daily|off',
    description:
      'daily: an image is scanned on request once within 24 hours, as in ECR; off: as often as somebody asks',
    default: 'daily',
  },
  {
    flag: 'sbom',
    variable: 'GANTRY_SBOM',
    placeholder: 'none|attach',
    description: 'attach: a scan pushes a list of what the image holds (CycloneDX) as an artifact that refers to it',
    default: 'none',
  },
] as const satisfies Setting[];

export interface ScanningConfig {
  /** Undefined: the builtin scanner. */
  readonly trivy: TrivyConfig | undefined;
  /** Undefined: there is none. */
  readonly vulnerabilityDatabase: string | undefined;
  readonly limitsScans: boolean;
  readonly attachesSboms: boolean;
}

export interface TrivyConfig {
  readonly binary: string;
  readonly cacheFolder: string;
  readonly server: string | undefined;
  /** What the server asks of its clients. */
  readonly token: string | undefined;
}

export function readScanning(
  given: Given,
  environment: Environment,
  dataDirectory: string | undefined,
): ScanningConfig {
  const isTrivy = given.oneOf('scanner', ['builtin', 'trivy']) === 'trivy';
  return {
    trivy: isTrivy ? readTrivy(given, environment, dataDirectory) : undefined,
    vulnerabilityDatabase: vulnerabilityDatabaseOf(given, dataDirectory),
    limitsScans: given.oneOf('scan-limit', ['daily', 'off']) === 'daily',
    attachesSboms: given.oneOf('sbom', ['none', 'attach']) === 'attach',
  };
}

function readTrivy(given: Given, environment: Environment, dataDirectory: string | undefined): TrivyConfig {
  const hasDefault = dataDirectory !== undefined && !given.isGiven('trivy-cache');
  return {
    binary: given.text('trivy-binary'),
    cacheFolder: hasDefault ? join(dataDirectory, 'trivy') : given.text('trivy-cache'),
    server: given.isGiven('trivy-server')
      ? given.matching('trivy-server', /^https?:\/\/[^/\s]+(?:\/\S*)?$/, 'a URL such as http://trivy:4954')
      : undefined,
    token: tokenOf(given, environment),
  };
}

/** A command line can be read by everybody on the machine. */
function tokenOf(given: Given, { GANTRY_TRIVY_SERVER_TOKEN: token }: Environment): string | undefined {
  if (token === undefined) return undefined;
  if (!given.isGiven('trivy-server')) {
    throw new ConfigError('GANTRY_TRIVY_SERVER_TOKEN is for a server of Trivy, which --trivy-server names');
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new ConfigError('GANTRY_TRIVY_SERVER_TOKEN must be characters of ASCII without spaces');
}

/** For the commands about the database: where it is. */
export function readVulnerabilityDatabase(flags: Flags, environment: Environment): string {
  const given = settingsReader(VULNERABILITY_DATABASE_SETTINGS, flags, environment);
  const dataDirectory = given.text('data');
  return vulnerabilityDatabaseOf(given, dataDirectory) ?? '';
}

function vulnerabilityDatabaseOf(given: Given, dataDirectory: string | undefined): string | undefined {
  if (given.isGiven('vulnerability-db')) return given.text('vulnerability-db');
  return dataDirectory === undefined ? undefined : join(dataDirectory, 'vulnerabilities.db');
}
