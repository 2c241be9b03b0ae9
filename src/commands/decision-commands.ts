import { AUDIT_SETTING, COMMAND_SETTINGS, DATA_SETTING } from '../config/access-settings.ts';
import type { CommandOption, CommandSpec } from './command-spec.ts';
import { HOLDER_OPTIONS, JSON_OPTION } from './shared-options.ts';

const MANAGED: CommandOption = {
  flag: 'managed',
  placeholder: 'policy',
  description:
    'a policy that every server has, by name or ARN: AmazonEC2ContainerRegistryReadOnly, …PowerUser, …FullAccess, …PullOnly',
};

const settings = COMMAND_SETTINGS;

/** What may be done, why, and what was. */
export const DECISION_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'policy attach',
    description: 'attach a policy, or replace the one of that name',
    settings,
    options: [
      ...HOLDER_OPTIONS,
      { flag: 'document', placeholder: 'file', description: 'IAM policy in JSON; - is standard input' },
      { flag: 'name', placeholder: 'name', description: 'name of the policy of --document' },
      MANAGED,
      JSON_OPTION,
    ],
    load: async () => (await import('./policy.ts')).attachPolicy,
  },
  {
    words: 'policy detach',
    description: 'detach a policy',
    settings,
    options: [
      ...HOLDER_OPTIONS,
      { flag: 'name', placeholder: 'name', description: 'name of the policy' },
      MANAGED,
      JSON_OPTION,
    ],
    load: async () => (await import('./policy.ts')).detachPolicy,
  },
  {
    words: 'policy list',
    description: 'list attached policies, of one or of all; --json shows their documents',
    settings,
    options: [...HOLDER_OPTIONS, JSON_OPTION],
    load: async () => (await import('./policy.ts')).listPolicies,
  },
  {
    words: 'explain',
    description: 'say whether somebody may do something, and which statements of which policies decide it',
    settings,
    options: [
      {
        flag: 'principal',
        placeholder: 'who',
        description: 'user/NAME, role/NAME, root, anonymous, or an ARN of them or of a session',
        isRequired: true,
      },
      { flag: 'action', placeholder: 'action', description: 'such as ecr:BatchGetImage', isRequired: true },
      { flag: 'resource', placeholder: 'arn', description: "a repository's ARN or name, or * (default *)" },
      { flag: 'source-ip', placeholder: 'address', description: 'address the request would come from' },
      { flag: 'secure', description: 'the request would come by TLS' },
      {
        flag: 'request-tag',
        placeholder: 'key=value',
        description: 'tag the request would put on the resource; several times, or with commas between',
        repeats: true,
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    words: 'audit',
    description: 'show what was asked, by whom, and what came of it, oldest first',
    settings: [DATA_SETTING, AUDIT_SETTING],
    options: [
      { flag: 'since', placeholder: 'time', description: 'a length of time before now such as 1h, or a date' },
      {
        flag: 'user',
        placeholder: 'name',
        description: 'name of a user or role, root, anonymous, an ARN, or the id of an access key',
      },
      { flag: 'event', placeholder: 'name', description: 'an operation such as PutImage' },
      { flag: 'errors', description: 'only what was refused or failed' },
      { flag: 'json', description: 'print the records as they are, one a line' },
    ],
    load: async () => (await import('./audit.ts')).audit,
  },
];
