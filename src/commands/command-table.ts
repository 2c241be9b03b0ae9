import { FOLDER_SETTINGS, SERVE_SETTINGS, USAGE_SETTINGS } from '../config/settings.ts';
import { CACHE_COMMANDS } from './cache-commands.ts';
import type { CommandSpec } from './command-spec.ts';
import { CREDENTIAL_COMMANDS } from './credential-commands.ts';
import { DECISION_COMMANDS } from './decision-commands.ts';
import { EVENT_COMMANDS } from './event-commands.ts';
import { GATE_COMMANDS } from './gate-commands.ts';
import { IDENTITY_COMMANDS } from './identity-commands.ts';
import { KMS_COMMANDS } from './kms-commands.ts';
import { LIFECYCLE_COMMANDS } from './lifecycle-commands.ts';
import { MIGRATION_COMMANDS } from './migration-commands.ts';
import { MOVE_COMMANDS } from './move-commands.ts';
import { PEER_COMMANDS } from './peer-commands.ts';
import { JSON_OPTION } from './shared-options.ts';
import { SIGNER_COMMANDS } from './signer-commands.ts';
import { TAG_COMMANDS } from './tag-commands.ts';
import { VULNDB_COMMANDS } from './vulndb-commands.ts';

/** What stands before a second word. */
export const GROUPS: Readonly<Record<string, string>> = {
  tag: 'what tags were on, and how they get back there',
  user: 'people and programs with access keys of their own',
  group: 'users that share policies',
  role: 'what callers become for a while',
  provider: 'issuers of OpenID Connect tokens, with which a CI job takes a role without a stored secret',
  key: 'access keys, which sign requests',
  token: 'passwords for docker on hosts that cannot sign',
  policy: 'what users, groups and roles may do',
  lifecycle: 'what goes by itself, and when',
  peer: 'registries elsewhere that images are copied to',
  cache: 'what is cached of registries elsewhere',
  secret: 'user names and passwords for registries elsewhere',
  kms: 'keys that layers are encrypted under',
  events: 'what happens in the registry, and who is told of it',
  gate: 'what images must be for them to be pulled',
  vulndb: 'what is known of vulnerabilities, which scans ask',
  signer: 'who signs images when they are pushed',
  signature: 'what signatures there are of images',
  'events target': 'who is told of events',
  'events dead': 'deliveries of events that were given up',
};

/** Everything that `gantry` can do, in the order of its help. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    words: 'serve',
    description: 'serve the registry until it is told to stop',
    settings: SERVE_SETTINGS,
    load: async () => {
      const { serve } = await import('./serve.ts');
      return ({ flags, environment }) => serve(flags, environment);
    },
  },
  {
    words: 'garbage',
    description: 'take away what nothing points at any more; a server may run meanwhile',
    settings: FOLDER_SETTINGS,
    load: async () => {
      const { garbage } = await import('./garbage.ts');
      return ({ flags, environment }) => garbage(flags, environment);
    },
  },
  {
    words: 'verify',
    description: 'read every byte again and compare; exit status 1 when something is wrong',
    settings: FOLDER_SETTINGS,
    load: async () => {
      const { verify } = await import('./verify.ts');
      return ({ flags, environment }) => verify(flags, environment);
    },
  },
  {
    words: 'usage',
    description: 'what a registry holds, against its quotas; a server may run meanwhile',
    settings: USAGE_SETTINGS,
    options: [JSON_OPTION],
    load: async () => {
      const { usage } = await import('./usage.ts');
      return usage;
    },
  },
  ...MOVE_COMMANDS,
  ...MIGRATION_COMMANDS,
  ...TAG_COMMANDS,
  ...IDENTITY_COMMANDS,
  ...CREDENTIAL_COMMANDS,
  ...DECISION_COMMANDS,
  ...LIFECYCLE_COMMANDS,
  ...CACHE_COMMANDS,
  ...KMS_COMMANDS,
  ...EVENT_COMMANDS,
  ...PEER_COMMANDS,
  ...VULNDB_COMMANDS,
  ...GATE_COMMANDS,
  ...SIGNER_COMMANDS,
];
