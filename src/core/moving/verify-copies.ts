import { createHash } from 'node:crypto';
import type { BlobLocation, SealedBlob } from '../blob-store.ts';
import { algorithmOf } from '../values/digest.ts';
import type { MovedBlob } from './move-records.ts';
import { ledgerOf, type Moving } from './moving.ts';

const BATCH = 500;

/**
 * Looks for every copy in the target. What is not there with its size is taken out of the ledger, so that the next run copies it.
 *
 * @returns what is wrong, each in a sentence
 */
export async function verifyPresence(moving: Moving): Promise<string[]> {
  const { moves } = ledgerOf(moving).read;
  let present = 0;
  for await (const batch of batches(moving.target.blobs.list())) {
    moving.signal.throwIfAborted();
    present += await moves.countAmong(batch);
  }
  if (present === (await moves.copied()).blobs) return [];
  return eachCopy(moving, moves.copies, async (copy) => {
    const found = await (await moving.target.encryption.bytes(copy.protection)).stat(copy.to);
    if (found?.bytes === copy.bytes) return undefined;
    return found === undefined ? 'has gone' : `has ${found.bytes} bytes, not ${copy.bytes}`;
  });
}

/** Reads every copy that was not read again yet, and compares digests; else as `verifyPresence`. */
export async function readCopiesAgain(moving: Moving): Promise<string[]> {
  const ledger = ledgerOf(moving);
  let blobs = 0;
  let bytes = 0;
  return eachCopy(moving, ledger.read.moves.unread, async (copy) => {
    const digest = await digestOfCopy(moving, copy);
    if (digest !== copy.digest) return digest === undefined ? 'has gone' : `hashes to ${digest}`;
    await ledger.transaction('own-rows', (records) => records.moves.noteRead([copy.from]));
    blobs++;
    bytes += copy.bytes;
    moving.onProgress({ step: 'reading-again', blobs, bytes });
    return undefined;
  });
}

async function eachCopy(
  moving: Moving,
  page: (afterFrom: BlobLocation, limit: number) => Promise<MovedBlob[]>,
  wrongWith: (copy: MovedBlob) => Promise<string | undefined>,
): Promise<string[]> {
  const problems: string[] = [];
  for (let afterFrom = ''; ; ) {
    const copies = await page(afterFrom, BATCH);
    const last = copies.at(-1);
    if (last === undefined) return problems;
    afterFrom = last.from;
    for (const copy of copies) {
      moving.signal.throwIfAborted();
      const wrong = await wrongWith(copy);
      if (wrong === undefined) continue;
      await ledgerOf(moving).transaction('own-rows', (records) => records.moves.forgetCopy(copy.from));
      problems.push(`The copy of blob ${copy.digest} at ${copy.to} ${wrong}`);
    }
  }
}

async function digestOfCopy({ target }: Moving, { to, digest, protection }: MovedBlob): Promise<string | undefined> {
  await using reader = await (await target.encryption.bytes(protection)).read(to);
  if (reader === undefined) return undefined;
  const algorithm = algorithmOf(digest);
  const hash = createHash(algorithm);
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
    hash.update(chunk);
    reader.recycle(chunk);
  }
  return `${algorithm}:${hash.digest('hex')}`;
}

async function* batches(sealed: AsyncIterable<SealedBlob>): AsyncGenerator<SealedBlob[]> {
  let batch: SealedBlob[] = [];
  for await (const blob of sealed) {
    batch.push(blob);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}
