import type { Setting } from './setting.ts';
import { ConfigError, type Given } from './settings-reader.ts';

/** Master keys; `serve` and the commands that read bytes must agree on them. */
export const MASTER_KEY_FILE_SETTING = {
  flag: 'master-key-file',
  variable: 'GANTRY_MASTER_KEY_FILE',
  placeholder: 'file',
  description:
    'file of keys (gantry kms master-key prints one): bytes of repositories with AES256 are encrypted under its first line, and those of further lines stay readable; they are kept plain without it',
} as const satisfies Setting;

/** @param bucket where bytes are instead of the data folder */
export function masterKeyFileOf(given: Given, bucket: unknown): string | undefined {
  if (!given.isGiven('master-key-file')) return undefined;
  if (bucket === undefined) return given.text('master-key-file');
  throw new ConfigError(
    '--master-key-file encrypts bytes in the data folder, and --blobs keeps them in a bucket, which encrypts them itself: add sse=AES256 to its address',
  );
}
