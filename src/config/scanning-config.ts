import { join } from 'node:path';
import { DATA_SETTING } from './access-settings.ts';
import type { Environment } from './environment.ts';
import type { Setting } from './setting.ts';
import { type Flags, type Given, settingsReader } from './settings-reader.ts';

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
  /** Undefined: there is none. */
  readonly vulnerabilityDatabase: string | undefined;
  readonly limitsScans: boolean;
  readonly attachesSboms: boolean;
}

export function readScanning(given: Given, dataDirectory: string | undefined): ScanningConfig {
  return {
    vulnerabilityDatabase: vulnerabilityDatabaseOf(given, dataDirectory),
    limitsScans: given.oneOf('scan-limit', ['daily', 'off']) === 'daily',
    attachesSboms: given.oneOf('sbom', ['none', 'attach']) === 'attach',
  };
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
