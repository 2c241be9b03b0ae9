import type { CoreDependencies } from '../dependencies.ts';

/** What went wrong a moment ago, so that many who ask for the same do not all ask the upstream. */
export interface RecentFailures {
  /** @throws what was noted under the key, as long as it counts */
  rethrow(key: string): void;
  has(key: string): boolean;
  note(key: string, error: unknown, seconds: number): void;
}

const KEPT_MAX = 10_000;

export function createRecentFailures({ now }: Pick<CoreDependencies, 'now'>): RecentFailures {
  const failures = new Map<string, { error: unknown; until: number }>();
  const find = (key: string) => {
    const failure = failures.get(key);
    if (failure && failure.until > now().getTime()) return failure;
    failures.delete(key);
    return undefined;
  };
  return {
    rethrow(key) {
      const failure = find(key);
      if (failure) throw failure.error;
    },
    has: (key) => find(key) !== undefined,
    note(key, error, seconds) {
      const [oldest] = failures.keys();
      if (failures.size >= KEPT_MAX && oldest !== undefined) failures.delete(oldest);
      failures.set(key, { error, until: now().getTime() + seconds * 1000 });
    },
  };
}
