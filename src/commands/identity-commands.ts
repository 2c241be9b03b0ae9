import { COMMAND_SETTINGS } from '../config/access-settings.ts';
import type { CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

const USER = { name: 'name', description: 'name of the user' };
const GROUP = { name: 'group', description: 'name of the group' };
const ROLE = { name: 'name', description: 'name of the role' };
const ISSUER = { name: 'issuer', description: "https URL, as in the tokens' iss" };

const settings = COMMAND_SETTINGS;
const options = [JSON_OPTION];

/** Who there is. */
export const IDENTITY_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'user create',
    description: 'make a user, who may do nothing yet',
    operands: [USER],
    settings,
    options,
    load: async () => (await import('./user.ts')).createUser,
  },
  {
    words: 'user list',
    description: 'list users with their groups and policies',
    settings,
    options,
    load: async () => (await import('./user.ts')).listUsers,
  },
  {
    words: 'user delete',
    description: 'delete a user with its keys, tokens, policies and memberships',
    operands: [USER],
    settings,
    options,
    load: async () => (await import('./user.ts')).deleteUser,
  },
  {
    words: 'group create',
    description: 'make a group',
    operands: [GROUP],
    settings,
    options,
    load: async () => (await import('./group.ts')).createGroup,
  },
  {
    words: 'group list',
    description: 'list groups with their users and policies',
    settings,
    options,
    load: async () => (await import('./group.ts')).listGroups,
  },
  {
    words: 'group delete',
    description: 'delete a group with its policies; its users stay',
    operands: [GROUP],
    settings,
    options,
    load: async () => (await import('./group.ts')).deleteGroup,
  },
  {
    words: 'group add',
    description: 'put a user into a group',
    operands: [GROUP, { name: 'user', description: 'name of the user' }],
    settings,
    options,
    load: async () => (await import('./group.ts')).addToGroup,
  },
  {
    words: 'group remove',
    description: 'take a user out of a group',
    operands: [GROUP, { name: 'user', description: 'name of the user' }],
    settings,
    options,
    load: async () => (await import('./group.ts')).removeFromGroup,
  },
  {
    words: 'role create',
    description: 'make a role, which callers that its trust policy names may assume',
    operands: [ROLE],
    settings,
    options: [
      {
        flag: 'trust-policy',
        placeholder: 'file',
        description: 'JSON document: who may assume the role; - is standard input',
        isRequired: true,
      },
      { flag: 'max-session', placeholder: 'time', description: 'longest session, 1h to 12h (default 1h)' },
      JSON_OPTION,
    ],
    load: async () => (await import('./role.ts')).createRole,
  },
  {
    words: 'role list',
    description: 'list roles with their policies',
    settings,
    options,
    load: async () => (await import('./role.ts')).listRoles,
  },
  {
    words: 'role delete',
    description: 'delete a role with its policies and tokens; its sessions end',
    operands: [ROLE],
    settings,
    options,
    load: async () => (await import('./role.ts')).deleteRole,
  },
  {
    words: 'provider add',
    description: "take tokens of an issuer, such as GitHub's or a Kubernetes cluster's",
    operands: [ISSUER],
    settings,
    options: [
      {
        flag: 'audience',
        placeholder: 'name',
        description: 'whom the tokens are for, as in their aud; several times, or with commas between',
        isRequired: true,
        repeats: true,
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./provider.ts')).addProvider,
  },
  {
    words: 'provider list',
    description: 'list the issuers whose tokens are taken',
    settings,
    options,
    load: async () => (await import('./provider.ts')).listProviders,
  },
  {
    words: 'provider delete',
    description: 'take no more tokens of an issuer',
    operands: [ISSUER],
    settings,
    options,
    load: async () => (await import('./provider.ts')).deleteProvider,
  },
];
