import { COMMAND_SETTINGS } from '../config/access-settings.ts';
import type { CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

const SECRET = { name: 'name', description: 'name of the secret; its ARN has ecr-pullthroughcache/ before it' };

const settings = COMMAND_SETTINGS;
const options = [JSON_OPTION];

/** What is cached of registries elsewhere, and how they are logged in at. */
export const CACHE_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'cache status',
    description: 'show the pull through cache rules, what is cached by each, and imports that were given up',
    settings,
    options,
    load: async () => (await import('./cache.ts')).cacheStatus,
  },
  {
    words: 'cache refresh',
    description: 'compare cached tags with their upstream now, however late that was done last',
    operands: [
      { name: 'repository', description: 'name of the repository here' },
      { name: 'tag', description: 'the one tag; all that came from upstream when left out', isOptional: true },
    ],
    settings,
    options,
    load: async () => (await import('./cache.ts')).refreshCache,
  },
  {
    words: 'secret put',
    description: 'keep a user name and password for a registry elsewhere, sealed, and show the ARN for a rule',
    operands: [SECRET],
    settings,
    options: [
      {
        flag: 'username',
        placeholder: 'name',
        description: 'user name there; of ECR, an access key id',
        isRequired: true,
      },
      {
        flag: 'host',
        placeholder: 'host[:port]',
        description: 'the one host that it is sent to, such as registry-1.docker.io (default: any that a rule names)',
      },
      {
        flag: 'password-stdin',
        description: 'read the password, access token or secret access key from standard input',
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./secret.ts')).putSecret,
  },
  {
    words: 'secret list',
    description: 'list secrets, without what they say',
    settings,
    options,
    load: async () => (await import('./secret.ts')).listSecrets,
  },
  {
    words: 'secret delete',
    description: 'delete a secret for good',
    operands: [SECRET],
    settings,
    options,
    load: async () => (await import('./secret.ts')).deleteSecret,
  },
];
