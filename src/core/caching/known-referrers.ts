import type { CoreDependencies } from '../dependencies.ts';
import type { UpstreamReferrer } from '../upstreams/upstream.ts';

/** What upstreams said a moment ago of the referrers of images. */
export interface KnownReferrers {
  find(key: string): readonly UpstreamReferrer[] | undefined;
  note(key: string, referrers: readonly UpstreamReferrer[], seconds: number): void;
}

/** Lists are mostly empty, and at most a thousand long. */
const KEPT_MAX = 1000;
const REFERRERS_MAX = 20_000;

export function createKnownReferrers({ now }: Pick<CoreDependencies, 'now'>): KnownReferrers {
  const known = new Map<string, { referrers: readonly UpstreamReferrer[]; until: number }>();
  let count = 0;
  const drop = (key: string) => {
    count -= known.get(key)?.referrers.length ?? 0;
    known.delete(key);
  };
  return {
    find(key) {
      const found = known.get(key);
      if (found && found.until > now().getTime()) return found.referrers;
      drop(key);
      return undefined;
    },
    note(key, referrers, seconds) {
      drop(key);
      known.set(key, { referrers, until: now().getTime() + seconds * 1000 });
      count += referrers.length;
      for (const oldest of known.keys()) {
        if (known.size <= KEPT_MAX && count <= REFERRERS_MAX) break;
        drop(oldest);
      }
    },
  };
}
