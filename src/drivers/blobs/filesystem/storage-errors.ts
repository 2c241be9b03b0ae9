import { StorageFullError } from '../../../core/blob-store.ts';

/** What core may see of a failed file operation: StorageFullError when the disk or the quota is full, else the error. */
export function storageError(error: unknown): unknown {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? new StorageFullError(error) : error;
}

/** Runs a file operation and turns "no room left" into core's word for it. */
export async function withStorageErrors<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw storageError(error);
  }
}

/** The result of a file operation, or undefined when the file or its folder does not exist. */
export async function unlessMissing<Result>(operation: Promise<Result>): Promise<Result | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw storageError(error);
  }
}

export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
