import type { Setting } from './setting.ts';
import { ConfigError, type Given } from './settings-reader.ts';

/** `serve` and every command that opens the stores must agree on it. */
export const DATABASE_SETTING = {
  flag: 'database-url',
  variable: 'GANTRY_DATABASE_URL',
  placeholder: 'url',
  description:
    'PostgreSQL database for all facts instead of the data folder, as postgres://user:password@host/database (?connections=20: so many at most); better given in the variable than as a flag',
} as const satisfies Setting;

/** Where facts are kept, and whether other servers may work on them too. */
export interface DatabaseConfig {
  /** Undefined: in the data folder. */
  readonly databaseUrl: string | undefined;
}

/** @throws ConfigError without repeating what was given, since a password may be in it */
export function databaseOf(given: Given): string | undefined {
  if (!given.isGiven(DATABASE_SETTING.flag)) return undefined;
  const url = URL.parse(given.text(DATABASE_SETTING.flag));
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol) || url.pathname.length < 2) {
    return refuse('must be like postgres://user:password@host:5432/database');
  }
  const connections = url.searchParams.get('connections') ?? '20';
  if (!/^([2-9]|[1-9][0-9]{1,3})$/.test(connections)) return refuse('can have connections=2 or more, up to 9999');
  return url.href;
}

function refuse(what: string): never {
  throw new ConfigError(`--database-url (GANTRY_DATABASE_URL) ${what}`);
}
