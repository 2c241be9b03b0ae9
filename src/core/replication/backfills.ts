import type { Call } from '../access/caller.ts';
import type { Registry } from '../values/registry.ts';
import type { Backfill, BackfillPosition, BackfillResult, BackfillResultStatus } from './backfill-records.ts';

/** Copying what was there before its destination was configured. */
export interface Backfills {
  /**
   * Begins one to a destination that the registry's rules name. Refuses with invalid-parameter, backfill-in-progress (one to
   * a region at a time) and limit-exceeded.
   */
  start(call: Call, destination: Registry): Promise<Backfill>;
  /** What is under way is finished, nothing more begun. Refuses with backfill-not-found and backfill-invalid-status. */
  stop(call: Call, id: string): Promise<Backfill>;
  /** Newest first. `next` is where the list goes on. */
  list(
    call: Call,
    page: { readonly after?: BackfillPosition; readonly limit: number },
  ): Promise<{ backfills: Backfill[]; next?: BackfillPosition }>;
  /** One, and once it has ended what came of each pair of image and tag, in order. Refuses with backfill-not-found. */
  results(
    call: Call,
    input: {
      readonly id: string;
      readonly status?: BackfillResultStatus;
      readonly afterPosition: number;
      readonly limit: number;
    },
  ): Promise<{ backfill: Backfill; results?: BackfillResult[]; next?: number }>;
}
