import { open } from 'node:fs/promises';
import type { StagedFollower } from '../../../core/blob-store.ts';
import type { BufferPool } from './buffer-pool.ts';
import { PooledFollower } from './pooled-follower.ts';
import { unlessMissing } from './storage-errors.ts';

/** Mostly little is there. */
const CHUNK_BYTES = 256 * 1024;

/** Follows a staged file; undefined when there is none. A file that is renamed or removed meanwhile stays open. */
export async function followStaged(
  path: string,
  pool: BufferPool,
  offset: number,
): Promise<StagedFollower | undefined> {
  const handle = await unlessMissing(open(path, 'r'));
  if (!handle) return undefined;
  return new PooledFollower(handle, pool, offset, {
    bufferBytes: CHUNK_BYTES,
    async read(buffer, position) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, position);
      return { start: 0, end: bytesRead };
    },
  });
}
