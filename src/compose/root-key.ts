import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError } from '../config/settings-reader.ts';
import { newAccessKeyId, newSecretAccessKey } from '../core/access/identifiers.ts';
import { IdentityError, type NewAccessKey } from '../core/access/identities.ts';
import type { AccessKey } from '../core/access/identity-records.ts';
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
  access: Access,
  accountId: string,
  { given, dataDirectory }: { given: NewAccessKey | undefined; dataDirectory: string | undefined },
): Promise<string | undefined> {
  const { identities, directory } = access;
  if (given) {
    await ensureGivenKey(metadata, access, accountId, given);
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
  const isFirst = await identities.createFirstRootKey(accountId, key);
  if (!isFirst) await rm(file);
  await directory.refresh();
  return isFirst ? file : undefined;
}

/** Servers of one database do this at the same time: who finds the key made or taken away meanwhile looks again. */
async function ensureGivenKey(metadata: MetadataStore, access: Access, accountId: string, given: NewAccessKey) {
  const { identities } = access;
  for (let triesLeft = TRIES; ; triesLeft--) {
    const present = await metadata.read.access.accessKey(given.accessKeyId);
    if (present && (present.userName !== undefined || present.accountId !== accountId)) {
      const owner = `${present.userName ?? 'the root'} of account ${present.accountId}`;
      throw new IdentityError(`Access key ${given.accessKeyId} is of ${owner}, not of the root of ${accountId}`);
    }
    if (present && secretOf(access, present) === given.secretAccessKey) return;
    try {
      // The operator's word counts: where they changed the secret, the old one must not work on.
      if (present) await identities.deleteAccessKey(given.accessKeyId);
      await identities.createAccessKey(accountId, undefined, given);
      return;
    } catch (error) {
      if (!(error instanceof IdentityError) || triesLeft === 0) throw error;
    }
  }
}

const TRIES = 10;

function secretOf({ box }: Access, { id, sealedSecret }: AccessKey): string {
  try {
    return box.open(sealedSecret, id);
  } catch (cause) {
    const reason = `Access key ${id} does not open: the key file is not the one that it was sealed under`;
    throw new IdentityError(reason, { cause });
  }
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
