import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError } from '../config/settings-reader.ts';
import type { MasterKeys } from '../core/encryption/master-keys.ts';
import type { MetadataStore } from '../core/metadata-store.ts';

const KEY_BYTES = 32;

/** Keys of a master key file, the current one first. Lines that are empty, or begin with #, say nothing. */
export async function readMasterKeys(file: string): Promise<Uint8Array[]> {
  const path = resolve(file);
  const lines = (await readPrivate(path)).split('\n').map((line) => line.trim());
  const keys = lines.flatMap((line, index) => {
    if (line === '' || line.startsWith('#')) return [];
    return [keyOf(line) ?? refuse(path, `line ${index + 1} is not ${KEY_BYTES} bytes in base64 or hexadecimal`)];
  });
  if (keys.length === 0) refuse(path, 'it has no line with a key; gantry kms master-key prints one');
  return keys;
}

/** A server that was once told of master keys, and by mistake no longer is, would keep plain what comes from now on. */
export async function requireMasterKeys({ metadata }: { metadata: MetadataStore }, keys: MasterKeys): Promise<void> {
  if (keys.currentId !== undefined || !(await metadata.read.blobs.anyUnderMasterKey())) return;
  throw new ConfigError(
    'Layers here are encrypted under a master key: say where it is with --master-key-file (GANTRY_MASTER_KEY_FILE). If it is lost they are too; gantry kms master-key prints one for what comes',
  );
}

/** The text of a file that not everybody on the machine may read. */
async function readPrivate(path: string): Promise<string> {
  await using handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) =>
    refuse(path, error.code === 'ENOENT' ? 'there is no such file' : error.message),
  );
  const { mode } = await handle.stat();
  if ((mode & 0o007) !== 0) refuse(path, `everybody on this machine may use it; take that away with chmod o= ${path}`);
  return handle.readFile('utf8');
}

function keyOf(line: string): Uint8Array | undefined {
  if (/^[0-9a-f]{64}$/i.test(line)) return Buffer.from(line, 'hex');
  const key = Buffer.from(line, 'base64');
  return /^[A-Za-z0-9+/]{43}=?$/.test(line) && key.byteLength === KEY_BYTES ? key : undefined;
}

function refuse(path: string, reason: string): never {
  throw new ConfigError(`${path} cannot be the master key file (--master-key-file): ${reason}`);
}
