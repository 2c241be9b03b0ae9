import { StorageFullError } from './blob-store.ts';
import { RefusedError } from './errors.ts';

/** Runs work and turns a store's lack of room into core's refusal of it; other errors come out unchanged. */
export async function refusingWhenFull<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StorageFullError) throw new RefusedError({ kind: 'storage-full' }, { cause: error });
    throw error;
  }
}
