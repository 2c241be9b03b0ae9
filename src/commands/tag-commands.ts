import { TAG_SETTINGS } from '../config/settings.ts';
import type { CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

const REPOSITORY = { name: 'repository', description: 'name of the repository' };
const TAG = { name: 'tag', description: 'name of the tag' };

const settings = TAG_SETTINGS;

/** What tags were on, and how they get back there. */
export const TAG_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'tag history',
    description: 'tell what a tag was on, since when, by whom and why, newest change first',
    operands: [REPOSITORY, TAG],
    settings,
    options: [
      { flag: 'limit', placeholder: 'number', description: 'how many changes to show (50 when left out)' },
      JSON_OPTION,
    ],
    load: async () => (await import('./tag.ts')).tellTagHistory,
  },
  {
    words: 'tag restore',
    description:
      'put a tag back on the image it was on before its latest change, bringing the image back if it was deleted',
    operands: [REPOSITORY, TAG],
    settings,
    options: [
      { flag: 'to', placeholder: 'digest', description: 'put it on this image instead' },
      {
        flag: 'at',
        placeholder: 'when',
        description: 'put it on what it was on 2h ago, or at 2026-11-22T05:00Z, instead',
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./tag.ts')).restoreTag,
  },
  {
    words: 'tag deleted',
    description: 'list deleted images that can be brought back',
    operands: [REPOSITORY],
    settings,
    options: [JSON_OPTION],
    load: async () => (await import('./tag.ts')).listDeleted,
  },
  {
    words: 'tag undelete',
    description: 'bring a deleted image back, with those of its tags that no image has now',
    operands: [REPOSITORY, { name: 'digest', description: 'of the image, as tag deleted shows it' }],
    settings,
    options: [JSON_OPTION],
    load: async () => (await import('./tag.ts')).undelete,
  },
];
