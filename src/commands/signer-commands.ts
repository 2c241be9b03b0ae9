import { ACCOUNT_SETTING, COMMAND_SETTINGS, REGION_SETTING } from '../config/access-settings.ts';
import { FOLDER_SETTINGS } from '../config/settings.ts';
import type { CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

const PROFILE = { name: 'profile', description: 'name or ARN of the signer profile' };

const settings = COMMAND_SETTINGS;
const options = [JSON_OPTION];

/** Who signs images when they are pushed, and what signatures there are. */
export const SIGNER_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'signer create',
    description: 'make a signer profile, whose ARN goes into a signing configuration',
    operands: [{ name: 'profile', description: '2 to 64 letters, digits and underscores' }],
    settings,
    options: [
      {
        flag: 'key-type',
        placeholder: 'type',
        description: 'ec-256 (default), ec-384, ec-521, rsa-2048, rsa-3072 or rsa-4096',
      },
      {
        flag: 'days',
        placeholder: 'number',
        description: 'how long its certificate counts, and signatures with it (default 3650)',
      },
      { flag: 'key', placeholder: 'file', description: 'a private key (PEM) to be used in place of a new one' },
      {
        flag: 'chain',
        placeholder: 'file',
        description: "with --key: its certificate and those above it, the root's last (PEM)",
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./signer.ts')).createSigner,
  },
  {
    words: 'signer list',
    description: 'list signer profiles',
    settings,
    options,
    load: async () => (await import('./signer.ts')).listSigners,
  },
  {
    words: 'signer export-trust',
    description: "show what those who verify a profile's signatures have to trust",
    operands: [PROFILE],
    settings,
    options: [
      {
        flag: 'out',
        placeholder: 'folder',
        description: 'write PROFILE.crt and a trustpolicy.json for notation there (default: print the certificate)',
      },
      JSON_OPTION,
    ],
    load: async () => (await import('./signer-trust.ts')).exportTrust,
  },
  {
    words: 'signer retire',
    description: 'sign no more by a profile; what it has signed stays signed',
    operands: [PROFILE],
    settings,
    options,
    load: async () => (await import('./signer.ts')).retireSigner,
  },
  {
    words: 'signer delete',
    description: 'delete a profile and its key for good, once no signing configuration names it',
    operands: [PROFILE],
    settings,
    options,
    load: async () => (await import('./signer.ts')).deleteSigner,
  },
  {
    words: 'signature list',
    description: "list the signatures of an image or of a repository: the registry's own, notation's and cosign's",
    operands: [{ name: 'image', description: 'REPOSITORY, REPOSITORY:TAG or REPOSITORY@DIGEST' }],
    settings: [...FOLDER_SETTINGS, ACCOUNT_SETTING, REGION_SETTING],
    options,
    load: async () => (await import('./signature.ts')).tellSignatures,
  },
];
