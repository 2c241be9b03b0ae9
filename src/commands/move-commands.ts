import { DATA_SETTING, KEY_FILE_SETTING } from '../config/access-settings.ts';
import { BLOBS_SETTING } from '../config/blobs-config.ts';
import { DATABASE_SETTING } from '../config/database-config.ts';
import { KMS_SETTING } from '../config/kms-config.ts';
import { MASTER_KEY_FILE_SETTING } from '../config/master-key-config.ts';
import { MOVE_SETTINGS } from '../config/move-config.ts';
import { ARCHIVE_SETTING } from '../config/settings.ts';
import type { CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

/** Where the registry is, and the keys of its bytes. */
const SOURCE_SETTINGS = [
  DATA_SETTING,
  DATABASE_SETTING,
  BLOBS_SETTING,
  ARCHIVE_SETTING,
  KMS_SETTING,
  KEY_FILE_SETTING,
  MASTER_KEY_FILE_SETTING,
];

/** A registry goes as a whole to where it is kept otherwise. */
export const MOVE_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'move',
    description:
      'take a registry to a database and a bucket, or back to a folder: copies bytes while a server runs; --switch ends it; exit status 1 when it did not come through',
    settings: [...MOVE_SETTINGS, ...SOURCE_SETTINGS],
    options: [
      {
        flag: 'switch',
        description: 'end the move: no server may run on the registry; from then on it is at its new place',
      },
      { flag: 'wait', description: 'with --switch: copy what comes until the server is stopped, and switch at once' },
      { flag: 'verify', placeholder: 'how', description: 'copies: sizes (default), or full, which reads each again' },
      { flag: 'concurrency', placeholder: 'number', description: 'so many blobs at a time (default 8)' },
      { flag: 'dry-run', description: 'say what would be moved; nothing is written' },
      {
        flag: 'undo',
        description: 'let the registry be served again from where it moved away; the other side is left as it is',
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./move.ts')).move,
  },
];
