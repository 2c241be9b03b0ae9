import type { BlobReader, StagedFollower } from '../blob-store.ts';
import type { Upload } from '../layers/upload-records.ts';
import type { Moving, MovingSide } from './moving.ts';
import { pour } from './pour.ts';

export interface CarriedUploads {
  readonly carried: number;
  readonly bytes: number;
  /** Ids of those whose bytes cannot be read before they are a layer: their clients begin anew. */
  readonly left: readonly string[];
}

/** Later than any upload was touched. */
const EVER = new Date(8.64e15);
const UPLOADS_MAX = 1_000_000;

/**
 * Stages in the target what unfinished uploads have received, under the same ids: whoever sends goes on where it was
 * acknowledged. Nobody may send meanwhile. Done again, it begins anew with each.
 */
export async function carryUploads({ source, target, signal }: Moving): Promise<CarriedUploads> {
  const left: string[] = [];
  let carried = 0;
  let bytes = 0;
  for (const upload of await source.metadata.read.uploads.idle(EVER, UPLOADS_MAX)) {
    signal.throwIfAborted();
    await target.blobs.discard(upload.id);
    const staged = await carryUpload(source, target, upload, signal);
    if (staged === undefined) left.push(upload.id);
    else {
      carried++;
      bytes += staged;
    }
  }
  return { carried, bytes, left };
}

/** @returns how many bytes were staged; undefined when they cannot be read, or be kept as they are */
async function carryUpload(
  source: MovingSide,
  target: MovingSide,
  { id, protection }: Upload,
  signal: AbortSignal,
): Promise<number | undefined> {
  // What is encrypted stays so, and a data key belongs to one upload alone: its client begins anew.
  if (protection !== undefined || (source.encryptsItself && !target.encryptsItself)) return undefined;
  if ((await source.blobs.stagedBytes(id)) === 0) return 0;
  await using reader = await openStaged(source, id);
  if (reader === undefined) return undefined;
  // Awaited here: the reader is closed when this returns.
  return await pour(reader, target.blobs, id, { signal });
}

async function openStaged({ blobs }: MovingSide, id: string): Promise<BlobReader | StagedFollower | undefined> {
  return blobs.readStaged ? blobs.readStaged(id) : blobs.followStaged?.(id, 0);
}
