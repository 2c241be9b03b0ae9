import type { CommandOption } from './command-spec.ts';

export const JSON_OPTION: CommandOption = { flag: 'json', description: 'print JSON for programs' };

export const HOLDER_OPTIONS: readonly CommandOption[] = [
  { flag: 'user', placeholder: 'name', description: 'the user whose it is' },
  { flag: 'group', placeholder: 'name', description: 'the group whose it is' },
  { flag: 'role', placeholder: 'name', description: 'the role whose it is' },
];

export const KEY_OWNER_OPTIONS: readonly CommandOption[] = [
  { flag: 'user', placeholder: 'name', description: 'the user whose keys are meant' },
  { flag: 'root', description: "the account's root, who may do everything in it" },
];
