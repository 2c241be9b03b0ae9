import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { unlessMissing } from './storage-errors.ts';

/** What the disk says of staged bytes. */
export interface StagedFacts {
  readonly bytes: number;
  /**
   * Changes with every change of the file. A running hash holds only for the version it was kept with: another node
   * on the same folder may have cut the upload back and filled it up again to the very same size.
   */
  readonly version: string;
}

export const NOTHING_STAGED: StagedFacts = { bytes: 0, version: '' };

/** Undefined when nothing is staged. */
export async function stagedFacts(path: string): Promise<StagedFacts | undefined> {
  const stats = await unlessMissing(stat(path, { bigint: true }));
  return stats && factsOf(stats);
}

export function factsOf({ ino, size, ctimeNs }: BigIntStats): StagedFacts {
  return { bytes: Number(size), version: `${ino}:${size}:${ctimeNs}` };
}
