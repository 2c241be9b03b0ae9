import { ACCOUNT_SETTING, AUDIT_SETTING, REGION_SETTING } from '../config/access-settings.ts';
import { FOLDER_SETTINGS, LIFECYCLE_EXTENSIONS_SETTING, QUOTA_SETTING } from '../config/settings.ts';
import type { CommandOption, CommandSpec } from './command-spec.ts';
import { JSON_OPTION } from './shared-options.ts';

const settings = [
  ...FOLDER_SETTINGS,
  ACCOUNT_SETTING,
  REGION_SETTING,
  AUDIT_SETTING,
  QUOTA_SETTING,
  LIFECYCLE_EXTENSIONS_SETTING,
];

const OPTIONS: readonly CommandOption[] = [
  {
    flag: 'repositories',
    placeholder: 'names',
    description: 'those that are meant, * for anything (default all); several times, or with commas between',
    repeats: true,
  },
  {
    flag: 'tags',
    placeholder: 'names',
    description: 'tags that are meant, likewise (default all, and images without one)',
    repeats: true,
  },
  { flag: 'to-prefix', placeholder: 'prefix', description: 'put before the names of repositories' },
  { flag: 'username', placeholder: 'name', description: 'https: who logs in' },
  { flag: 'password-file', placeholder: 'file', description: 'https: file of the password; - is standard input' },
  { flag: 'password-stdin', description: 'https: read the password from standard input' },
  {
    flag: 'access-key-id',
    placeholder: 'id',
    description: 'ecr: the access key; else AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN',
  },
  { flag: 'secret-file', placeholder: 'file', description: 'ecr: file of its secret access key; - is standard input' },
  {
    flag: 'with-settings',
    description: 'ecr: settings, tags and policies of repositories too, and of the registry when all are meant',
  },
  { flag: 'concurrency', placeholder: 'number', description: 'so many images at a time (default 4)' },
  { flag: 'allow-private', description: 'the other side may be at an address of this machine or of a private network' },
  { flag: 'dry-run', description: 'say what would be copied; nothing is written' },
  JSON_OPTION,
];

/** Images from somewhere else, and to somewhere else. */
export const MIGRATION_COMMANDS: readonly CommandSpec[] = [
  {
    words: 'import',
    description:
      'copy images from a registry, an ECR, an OCI layout or a docker archive; a server may run meanwhile; exit status 1 when something failed',
    settings,
    options: [
      {
        flag: 'from',
        placeholder: 'source',
        description: 'https://HOST, ecr:REGION[,ACCOUNT][,endpoint=URL], oci:PATH[:TAG] or docker-archive:FILE[:TAG]',
        isRequired: true,
      },
      {
        flag: 'repository',
        placeholder: 'name',
        description: 'oci, docker-archive: the repository of images that do not say theirs',
      },
      ...OPTIONS,
    ],
    load: async () => (await import('./import.ts')).importImages,
  },
  {
    words: 'export',
    description:
      'copy images to a registry, an ECR, an OCI layout or a docker archive; a server may run meanwhile; exit status 1 when something failed',
    settings,
    options: [
      {
        flag: 'to',
        placeholder: 'target',
        description: 'https://HOST, ecr:REGION[,ACCOUNT][,endpoint=URL], oci:FOLDER or docker-archive:FILE',
        isRequired: true,
      },
      {
        flag: 'platform',
        placeholder: 'platform',
        description:
          'docker-archive: of an index the image for this (default linux and the architecture of this machine)',
      },
      ...OPTIONS,
    ],
    load: async () => (await import('./export.ts')).exportImages,
  },
];
