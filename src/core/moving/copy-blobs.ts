import type { Blob } from '../layers/layer-records.ts';
import { algorithmOf } from '../values/digest.ts';
import { MoveError } from './move-error.ts';
import type { MovedBlob } from './move-records.ts';
import { ledgerOf, type Moving, protectionOfCopy } from './moving.ts';
import { pour, SourceReadError } from './pour.ts';

export interface CopyReport {
  /** Copied now. */
  readonly copied: number;
  readonly copiedBytes: number;
  /** Of blobs whose copies were there already. */
  readonly present: number;
  /** Blobs that cannot be copied as they are, each in a sentence. */
  readonly problems: readonly string[];
}

const PAGE = 500;

/**
 * Copies the bytes of every blob that has no copy yet, while the source serves on. Each copy has a location of the target's
 * own; its digest is verified on the way, and it is in the ledger once it is sealed.
 */
export async function copyBlobs(moving: Moving): Promise<CopyReport> {
  const copying: Copying = { moving, copied: 0, copiedBytes: 0, present: 0, problems: [], passed: 0 };
  for (let afterId = 0; ; ) {
    const page = await moving.source.metadata.read.blobs.page(afterId, PAGE);
    const last = page.at(-1);
    if (last === undefined) return copying;
    afterId = last.id;
    const copies = await ledgerOf(moving).read.moves.copiesOf(page.map(({ location }) => location));
    const known = new Set(copies.map(({ from }) => from));
    const missing = page.filter(({ location }) => !known.has(location));
    copying.present += page.length - missing.length;
    await copyAll(copying, missing);
  }
}

interface Copying {
  readonly moving: Moving;
  copied: number;
  copiedBytes: number;
  present: number;
  readonly problems: string[];
  /** Bytes, also of what is not copied to its end. */
  passed: number;
}

/** Several at a time; when one fails because of the target, the others end what they began. */
async function copyAll(copying: Copying, blobs: readonly Blob[]): Promise<void> {
  const waiting = blobs.values();
  let failed = false;
  const workOff = async () => {
    for (const blob of waiting) {
      if (failed) return;
      try {
        await copyOne(copying, blob);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: copying.moving.concurrency }, workOff));
  const failure = ended.find((one) => one.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

async function copyOne(copying: Copying, blob: Blob): Promise<void> {
  const { moving } = copying;
  const copy = await copyBlob(copying, blob).catch((error: unknown) => {
    if (!(error instanceof SourceReadError)) throw error;
    return `cannot be read at ${blob.location}: ${error.message}`;
  });
  if (copy === undefined) return;
  if (typeof copy === 'string') {
    copying.problems.push(`Blob ${blob.digest} of ${blob.scope} ${copy}`);
    return;
  }
  await ledgerOf(moving).transaction('own-rows', (records) => records.moves.noteCopy(copy));
  copying.copied++;
  copying.copiedBytes += copy.bytes;
  moving.onProgress({ step: 'copying', blobs: copying.present + copying.copied, bytes: copying.passed });
}

/** @returns the copy; what is wrong with the blob; undefined when it has gone meanwhile */
async function copyBlob(copying: Copying, blob: Blob): Promise<MovedBlob | string | undefined> {
  const { source, target, signal, newId, onProgress } = copying.moving;
  const opening = source.encryption.bytes(blob.protection).then((from) => from.read(blob.location));
  await using reader = await opening.catch((error: unknown) => {
    throw new SourceReadError(error);
  });
  if (reader === undefined) {
    const isThere = await source.metadata.read.blobs.hasLocation(blob.location);
    return isThere ? `is missing: there are no bytes at ${blob.location}` : undefined;
  }
  const uploadId = newId();
  const kept = await protectionOfCopy(copying.moving, blob.protection, uploadId);
  const to = await target.encryption.bytes(kept.protection);
  const onBytes = (bytes: number) => {
    copying.passed += bytes;
    onProgress({ step: 'copying', blobs: copying.present + copying.copied, bytes: copying.passed });
  };
  try {
    const bytes = await pour(reader, to, uploadId, { signal, onBytes });
    const digest = await to.digest(uploadId, algorithmOf(blob.digest));
    if (digest !== blob.digest || bytes !== blob.bytes) {
      await target.blobs.discard(uploadId);
      return `is damaged: its ${bytes} bytes hash to ${digest}, and the record says ${blob.bytes} bytes`;
    }
    const location = await to.seal(uploadId, digest, bytes);
    const sealed = location === undefined ? undefined : await to.stat(location);
    if (location === undefined || sealed?.bytes !== bytes) {
      throw new MoveError(`The target did not keep the bytes of blob ${digest}`);
    }
    return { from: blob.location, to: location, digest, bytes, ...kept };
  } catch (error) {
    // What this leaves behind when the target is away, garbage collection takes.
    await target.blobs.discard(uploadId).catch(() => {});
    throw error;
  }
}
