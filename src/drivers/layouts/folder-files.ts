import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { TransferError } from '../../core/transfer/transfer.ts';
import { createFileReader } from './file-reader.ts';
import type { LayoutFiles } from './layout-files.ts';

/** Files of a folder. Links are followed within it alone; what is no plain file is refused, a pipe without waiting for it. */
export async function openFolderFiles(folder: string): Promise<LayoutFiles> {
  const root = await realpath(folder).catch(() => undefined);
  if (root === undefined) throw new TransferError('missing', `There is no folder ${folder}`);

  const openFile = async (path: string): Promise<FileHandle | undefined> => {
    const file = await realpath(join(root, path)).catch(unlessMissing);
    if (file === undefined) return undefined;
    if (!file.startsWith(`${root}${sep}`)) throw new TransferError('invalid', `${folder}: ${path} leads out of it`);
    return open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(unlessMissing);
  };
  const bytesOf = async (path: string, handle: FileHandle): Promise<number> => {
    const found = await handle.stat();
    if (!found.isFile()) throw new TransferError('invalid', `${folder}: ${path} is no file`);
    return found.size;
  };

  return {
    name: folder,
    async stat(path) {
      await using handle = await openFile(path);
      return handle && { bytes: await bytesOf(path, handle) };
    },
    async read(path, { first, last }) {
      const handle = await openFile(path);
      if (!handle) throw new TransferError('missing', `${folder}: there is no ${path}`);
      try {
        await bytesOf(path, handle);
        const part = { name: `${folder}: ${path}`, offset: first, bytes: last + 1 - first };
        return createFileReader(handle, part, () => handle.close());
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (!['ENOENT', 'ENOTDIR'].includes(error.code ?? '')) throw error;
}
