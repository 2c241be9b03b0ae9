import { type CarriedUploads, carryUploads } from './carry-uploads.ts';
import { type CopyReport, copyBlobs } from './copy-blobs.ts';
import type { TableCount } from './facts-carrier.ts';
import { MoveError } from './move-error.ts';
import type { Move } from './move-records.ts';
import { ledgerOf, type Moving, movesBytes } from './moving.ts';
import { readCopiesAgain, verifyPresence } from './verify-copies.ts';

export interface SwitchReport {
  /** What had come since it was copied before. Undefined when bytes stay. */
  readonly copies: CopyReport | undefined;
  readonly uploads: CarriedUploads | undefined;
  /** Undefined when facts stay. */
  readonly tables: readonly TableCount[] | undefined;
  /** Why it was not switched, each in a sentence; the source serves on as before. */
  readonly problems: readonly string[];
}

const PAGE = 500;

/**
 * Ends a move, while nobody else works on either side: copies what came since, carries unfinished uploads and all facts,
 * compares, and only then leaves the source. Broken off anywhere, it is done again from its beginning.
 */
export async function switchOver(moving: Moving, move: Move): Promise<SwitchReport> {
  await moving.requireAlone();
  const copies = movesBytes(moving) ? await copyBlobs(moving) : undefined;
  if (copies !== undefined && copies.problems.length > 0) {
    return { copies, uploads: undefined, tables: undefined, problems: copies.problems };
  }
  const uploads = movesBytes(moving) ? await carryUploads(moving) : undefined;
  const keepsArchive = await archiveCopies(moving);
  const left = uploads?.left ?? [];
  const tables = await moving.carrier?.carry({
    withoutUploads: left,
    bytes: movesBytes(moving) ? (keepsArchive ? 'moved-with-archive' : 'moved') : 'stay',
    onProgress: (rows) => moving.onProgress({ step: 'facts', rows }),
  });
  const problems = await verifyCopies(moving);
  if (problems.length > 0) return { copies, uploads, tables, problems };
  await moving.requireAlone();
  if (moving.carrier === undefined) await leaveBytes(moving, move, { left, keepsArchive });
  else await leave(moving, move);
  return { copies, uploads, tables, problems };
}

/** What is wrong with the copies that were made, each in a sentence; bad ones are made again by the next run. */
export async function verifyCopies(moving: Moving): Promise<string[]> {
  if (!movesBytes(moving)) return [];
  const problems = await verifyPresence(moving);
  return problems.length > 0 || !moving.readsAgain ? problems : readCopiesAgain(moving);
}

/** Takes copies of archived bytes to the target's archive. @returns false when the target has none */
async function archiveCopies(moving: Moving): Promise<boolean> {
  const { source, target, signal } = moving;
  if (!movesBytes(moving) || target.blobs.archive === undefined) return false;
  for (let afterId = 0; ; ) {
    const page = await source.metadata.read.blobs.archived(afterId, PAGE);
    const last = page.at(-1);
    if (last === undefined) return true;
    afterId = last.id;
    for (const { to } of await ledgerOf(moving).read.moves.copiesOf(page.map(({ location }) => location))) {
      signal.throwIfAborted();
      await target.blobs.archive(to);
    }
  }
}

/** The source is left before the target may be served: at no moment may both. */
async function leave({ source, target, now }: Moving, { id, from, to }: Move): Promise<void> {
  const move = { id, from, to, at: now() };
  await source.metadata.transaction('alone', (records) => records.moves.put({ ...move, stage: 'left' }));
  await target.metadata.transaction('alone', async (records) => {
    await records.moves.put({ ...move, stage: 'arrived' });
    await records.moves.forgetCopies();
  });
}

/** The facts stay, and all at once they point at the copies. */
async function leaveBytes(
  { source, now }: Moving,
  { id, from, to }: Move,
  { left, keepsArchive }: { left: readonly string[]; keepsArchive: boolean },
): Promise<void> {
  await source.metadata.transaction('alone', async (records) => {
    const without = await records.moves.relocate(keepsArchive);
    if (without > 0) throw new MoveError(`${without} blobs have no copy: somebody works on the registry`);
    for (const uploadId of left) await records.uploads.delete(uploadId);
    await records.moves.put({ id, from, to, stage: 'bytes-left', at: now() });
    await records.moves.forgetCopies();
  });
}
