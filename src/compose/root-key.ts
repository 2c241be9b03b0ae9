import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError } from '../config/settings-reader.ts';
import { newAccessKeyId, newSecretAccessKey } from '../core/access/identifiers.ts';
import type { NewAccessKey } from '../core/access/identities.ts';
import type { MetadataStore } from '../core/metadata-store.ts';
import type { Access } from './access.ts';

/** Where the first key of the root is told, and nowhere else. */
const FILE = 'root-access-key';

/**
 * Sees to it that somebody can get in: on the first start in enforced mode the default account's root gets an access key.
 *
 * @param given an id and secret of the operator's own; a new one is made otherwise
 * @returns the file a new key was written to; undefined when there was one already, or when it was given
 */
export async function ensureRootKey(
  { metadata }: { readonly metadata: MetadataStore },
  { identities, directory }: Access,
  accountId: string,
  { given, dataDirectory }: { given: NewAccessKey | undefined; dataDirectory: string | undefined },
): Promise<string | undefined> {
  if (given) {
    const present = await metadata.read.access.accessKey(given.accessKeyId);
    if (!present) await identities.createAccessKey(accountId, undefined, given);
    await directory.refresh();
    return undefined;
  }
  if (await metadata.read.access.hasRootKey()) return undefined;
  if (dataDirectory === undefined) {
    throw new ConfigError(
      'A registry in memory that enforces access needs its root key from GANTRY_ROOT_ACCESS_KEY_ID and GANTRY_ROOT_SECRET_ACCESS_KEY',
    );
  }
  const file = join(resolve(dataDirectory), FILE);
  const key = { accessKeyId: newAccessKeyId('AKIA', randomBytes), secretAccessKey: newSecretAccessKey(randomBytes) };
  // The file first: a key that nobody was told of would keep everybody out.
  await writePrivate(file, `AWS_ACCESS_KEY_ID=${key.accessKeyId}\nAWS_SECRET_ACCESS_KEY=${key.secretAccessKey}\n`);
  await identities.createAccessKey(accountId, undefined, key);
  await directory.refresh();
  return file;
}

/** A file that only its owner reads, on disk when this resolves. */
async function writePrivate(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
