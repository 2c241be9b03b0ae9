import { VULNERABILITY_DATABASE_SETTINGS } from '../config/scanning-config.ts';
import type { CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

const settings = VULNERABILITY_DATABASE_SETTINGS;

/** The database of vulnerabilities that scans ask. */
export const VULNDB_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'vulndb import',
    description: 'take records of vulnerabilities from files; a server may run meanwhile and knows them at once',
    operands: [
      {
        name: 'path',
        description:
          'records of OSV: JSON, lines of JSON, a zip archive as OSV publishes for each ecosystem, or a folder',
        repeats: true,
      },
    ],
    settings,
    options: [JSON_OPTION],
    load: async () => (await import('./vulndb.ts')).importVulnerabilities,
  },
  {
    words: 'vulndb update',
    description: 'fetch records from where OSV or a mirror publishes them: all the first time, then what has changed',
    settings,
    options: [
      {
        flag: 'from',
        placeholder: 'url',
        description: 'a folder with ECOSYSTEM/all.zip and modified_id.csv in it',
        isRequired: true,
      },
      {
        flag: 'ecosystem',
        placeholder: 'name',
        description: 'such as Debian or npm; several times (default those that were fetched from there before)',
        repeats: true,
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./vulndb.ts')).updateVulnerabilities,
  },
  {
    words: 'vulndb status',
    description: 'show what the database holds and as of when',
    settings,
    options: [JSON_OPTION],
    load: async () => (await import('./vulndb.ts')).showVulnerabilities,
  },
];
