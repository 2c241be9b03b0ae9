import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EntryContent } from '../layers/entry-content.ts';

export interface SpilledFile extends AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
}

const HEAD_BYTES = 4096;

/**
 * Writes the rest of an entry to a file of its own, for what must be read here and there; the file goes when it is disposed
 * of. Nothing of the entry's name is in that of the file.
 *
 * @param changeHead what to write in the place of the first bytes
 */
export async function spill(
  content: EntryContent,
  temporaryFolder: string,
  changeHead: (head: Buffer) => Buffer = (head) => head,
): Promise<SpilledFile> {
  const folder = await mkdtemp(join(temporaryFolder, 'gantry-scan-'));
  const path = join(folder, 'content');
  const handle = await open(path, 'wx+', 0o600);
  const file: SpilledFile = {
    path,
    handle,
    async [Symbol.asyncDispose]() {
      await handle.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await handle.writeFile(changeHead(await content.read(HEAD_BYTES)));
    for (let piece = await content.readSome(); piece !== undefined; piece = await content.readSome()) {
      await handle.writeFile(piece);
    }
    return file;
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}
