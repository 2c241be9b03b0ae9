import { ACCOUNT_SETTING, AUDIT_SETTING, DATA_SETTING, REGION_SETTING } from '../config/access-settings.ts';
import { DATABASE_SETTING } from '../config/database-config.ts';
import { KEEPING_SETTINGS } from '../config/settings.ts';
import type { CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

const REGISTRY = [DATA_SETTING, DATABASE_SETTING, ACCOUNT_SETTING, REGION_SETTING];

/** What lifecycle policies do. */
export const LIFECYCLE_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'lifecycle run',
    description: 'apply lifecycle policies now, of one repository or of all; a server may run meanwhile',
    settings: [...REGISTRY, AUDIT_SETTING, ...KEEPING_SETTINGS],
    options: [
      { flag: 'repository', placeholder: 'name', description: 'the one that is meant (default all with a policy)' },
      JSON_OPTION,
    ],
    load: async () => (await import('./lifecycle.ts')).runLifecycle,
  },
  {
    words: 'lifecycle explain',
    description: 'say of every image of a repository which rule takes or keeps it, and why; changes nothing',
    settings: REGISTRY,
    options: [
      { flag: 'repository', placeholder: 'name', description: 'the repository', isRequired: true },
      JSON_OPTION,
    ],
    load: async () => (await import('./lifecycle.ts')).explainLifecycle,
  },
];
