/** So many more must fit before a count is taken on trust … */
const CERTAIN_WITHIN = 1000;
/** … and for so long: other servers on the same store add things too, and deletions make room. */
const TRUSTED_MS = 60_000;
/** Bounds memory; what is forgotten is counted again. */
const KEPT_MAX = 10_000;

/**
 * Tells whether one more of something fits. It is counted anew only near the limit or once a minute: between, a count is
 * raised with each thing admitted, so that it is never too low for what this server did. Near the limit every answer is a
 * count within the caller's transaction, and exact.
 */
export interface CountedQuota {
  /** @param count within the transaction that adds the thing */
  hasRoom(key: string, limit: number, count: () => Promise<number>): Promise<boolean>;
}

export function createCountedQuota(now: () => Date): CountedQuota {
  const kept = new Map<string, { count: number; countedAt: number }>();
  return {
    async hasRoom(key, limit, count) {
      const present = kept.get(key);
      const at = now().getTime();
      if (present && present.count + CERTAIN_WITHIN <= limit && at < present.countedAt + TRUSTED_MS) {
        present.count += 1;
        return true;
      }
      const counted = await count();
      if (counted >= limit) {
        kept.delete(key);
        return false;
      }
      if (kept.size >= KEPT_MAX) kept.clear();
      kept.set(key, { count: counted + 1, countedAt: at });
      return true;
    },
  };
}
