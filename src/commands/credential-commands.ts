import { COMMAND_SETTINGS } from '../config/access-settings.ts';
import type { CommandSpec } from './command-spec.ts';
import { JSON_OPTION, KEY_OWNER_OPTIONS } from './shared-options.ts';

const KEY = { name: 'id', description: 'id of the access key, AKIA…' };

const settings = COMMAND_SETTINGS;

/** What callers prove with who they are. */
export const CREDENTIAL_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'key create',
    description: 'make an access key and show its secret once; two a user at most',
    settings,
    options: [...KEY_OWNER_OPTIONS, JSON_OPTION],
    load: async () => (await import('./key.ts')).createKey,
  },
  {
    words: 'key list',
    description: 'list access keys',
    settings,
    options: [...KEY_OWNER_OPTIONS, JSON_OPTION],
    load: async () => (await import('./key.ts')).listKeys,
  },
  {
    words: 'key rotate',
    description: 'make the owner of a key another one; the old one works on until it is disabled or deleted',
    operands: [KEY],
    settings,
    options: [{ flag: 'disable-old', description: 'disable the old key at once' }, JSON_OPTION],
    load: async () => (await import('./key.ts')).rotateKey,
  },
  {
    words: 'key disable',
    description: 'let a key, and the tokens made with it, stop working within a second',
    operands: [KEY],
    settings,
    options: [JSON_OPTION],
    load: async () => (await import('./key.ts')).disableKey,
  },
  {
    words: 'key enable',
    description: 'let a disabled key work again',
    operands: [KEY],
    settings,
    options: [JSON_OPTION],
    load: async () => (await import('./key.ts')).enableKey,
  },
  {
    words: 'key delete',
    description: 'delete a key for good',
    operands: [KEY],
    settings,
    options: [JSON_OPTION],
    load: async () => (await import('./key.ts')).deleteKey,
  },
  {
    words: 'token create',
    description: 'make a docker password that acts for a user or role, within bounds, and show it once',
    settings,
    options: [
      {
        flag: 'principal',
        placeholder: 'who',
        description: 'whom it acts for: user/NAME, role/NAME, or an ARN',
        isRequired: true,
      },
      { flag: 'expires', placeholder: 'time', description: 'how long it works, such as 90d or 12h (default 90d)' },
      {
        flag: 'actions',
        placeholder: 'list',
        description: 'pull, push, delete, or several with commas between (default pull)',
        repeats: true,
      },
      {
        flag: 'repositories',
        placeholder: 'patterns',
        description: 'names in which * and ? stand for others, with commas between (default *)',
        repeats: true,
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./token.ts')).createToken,
  },
  {
    words: 'token list',
    description: 'list tokens and when they were last used',
    settings,
    options: [JSON_OPTION],
    load: async () => (await import('./token.ts')).listTokens,
  },
  {
    words: 'token revoke',
    description: 'let a token stop working within a second',
    operands: [{ name: 'id', description: 'id of the token' }],
    settings,
    options: [JSON_OPTION],
    load: async () => (await import('./token.ts')).revokeToken,
  },
];
