import { COMMAND_SETTINGS } from '../config/access-settings.ts';
import type { CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

const KEY = { name: 'key', description: 'id, ARN or alias of the key' };

const settings = COMMAND_SETTINGS;
const options = [JSON_OPTION];

/** The keys that layers are encrypted under where no other key service is. */
export const KMS_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'kms create',
    description: 'make a key for repositories with KMS encryption, and show its ARN',
    settings,
    options: [
      { flag: 'alias', placeholder: 'name', description: 'another name for it, such as alias/registry' },
      { flag: 'description', placeholder: 'text', description: 'what it is for' },
      JSON_OPTION,
    ],
    load: async () => (await import('./kms.ts')).createKey,
  },
  {
    words: 'kms list',
    description: 'list keys, with their state and how many repositories use each',
    settings,
    options,
    load: async () => (await import('./kms.ts')).listKeys,
  },
  {
    words: 'kms enable',
    description: 'make a disabled key usable again',
    operands: [KEY],
    settings,
    options,
    load: async () => (await import('./kms.ts')).enableKey,
  },
  {
    words: 'kms disable',
    description: 'let nobody push to or pull from the repositories of a key, at once, until it is enabled',
    operands: [KEY],
    settings,
    options,
    load: async () => (await import('./kms.ts')).disableKey,
  },
  {
    words: 'kms schedule-deletion',
    description: 'delete a key after a waiting period, in which it cannot be used; its layers are lost then',
    operands: [KEY],
    settings,
    options: [
      { flag: 'days', placeholder: 'number', description: 'how long it waits, 7 to 30 (default 30)' },
      JSON_OPTION,
    ],
    load: async () => (await import('./kms.ts')).scheduleKeyDeletion,
  },
  {
    words: 'kms cancel-deletion',
    description: 'keep a key that waits for its deletion; it is disabled then',
    operands: [KEY],
    settings,
    options,
    load: async () => (await import('./kms.ts')).cancelKeyDeletion,
  },
  {
    words: 'kms master-key',
    description: 'print a new line for a master key file; nothing is kept of it',
    settings: [],
    load: async () => (await import('./kms-master-key.ts')).printMasterKey,
  },
];
