import { EVENT_SETTINGS } from '../config/settings.ts';
import type { CommandOption, CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

/** As of the commands about events: a peer belongs to every registry of the server. */
const settings = EVENT_SETTINGS;

const PLACE: readonly CommandOption[] = [
  {
    flag: 'account',
    placeholder: 'digits',
    description: 'account by which registries here name it as a destination',
    isRequired: true,
  },
  { flag: 'region', placeholder: 'name', description: 'and the region', isRequired: true },
];

/** Registries elsewhere that images are copied to. */
export const PEER_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'peer add',
    description: 'name a registry elsewhere, so that it can be a destination of replication',
    settings,
    options: [
      ...PLACE,
      { flag: 'url', placeholder: 'url', description: 'where its OCI API is; not needed for ecr' },
      { flag: 'kind', placeholder: 'kind', description: 'gantry (unless given), ecr, or oci for any other registry' },
      {
        flag: 'username',
        placeholder: 'name',
        description: 'who pushes, with a password; AWS with a robot token of Gantry',
      },
      { flag: 'password-file', placeholder: 'file', description: 'file of the password; - is standard input' },
      { flag: 'password-stdin', description: 'read the password from standard input' },
      { flag: 'access-key-id', placeholder: 'id', description: 'gantry, ecr: the access key that pushes' },
      { flag: 'secret-file', placeholder: 'file', description: 'file of its secret access key; - is standard input' },
      { flag: 'api-url', placeholder: 'url', description: 'where its ECR API is, when it is somewhere else' },
      { flag: 'allow-private', description: 'it may be at an address of this machine or of a private network' },
      {
        flag: 'replace',
        description: 'change a peer there is; it keeps its secret when none is given for the same user',
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./peer.ts')).addPeer,
  },
  {
    words: 'peer list',
    description: 'list the registries elsewhere',
    settings,
    options: [JSON_OPTION],
    load: async () => (await import('./peer.ts')).listPeers,
  },
  {
    words: 'peer remove',
    description: 'forget a registry elsewhere; destinations of its name are registries of this server then',
    settings,
    options: [...PLACE, JSON_OPTION],
    load: async () => (await import('./peer.ts')).removePeer,
  },
  {
    words: 'peer test',
    description:
      'ask a registry elsewhere whether it answers and takes the credentials; exit status 1 when it does not',
    settings,
    options: [...PLACE, JSON_OPTION],
    load: async () => (await import('./peer.ts')).testPeer,
  },
];
