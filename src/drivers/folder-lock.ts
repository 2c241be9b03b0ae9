import { DatabaseSync } from 'node:sqlite';

/** Another process serves from the folder. */
export class FolderLockedError extends Error {
  constructor(file: string) {
    super(
      `Another server works on this data folder (it holds ${file}). Stop it, or give this one a folder of its own with --data`,
    );
    this.name = 'FolderLockedError';
  }
}

/**
 * Takes a lock that ends with the process, however that ends: Node has no file locks, SQLite's are the kernel's.
 * @throws FolderLockedError while another process holds it
 */
export function lockFolder(file: string): Disposable {
  const database = new DatabaseSync(file);
  try {
    database.exec('pragma busy_timeout = 0; begin exclusive');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) throw new FolderLockedError(file);
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}

const SQLITE_BUSY = 5;
