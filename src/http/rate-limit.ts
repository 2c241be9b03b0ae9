export interface Rate {
  readonly perSecond: number;
  /** How many may come at once after a rest. */
  readonly burst: number;
}

/** A bucket of tokens for every principal and operation that has a rate. */
export interface RateLimiter {
  /** False when the principal asks too fast. An operation without a rate is always granted. */
  take(principal: string, operation: string): boolean;
}

/**
 * ECR's published rates (Amazon ECR user guide, "Amazon ECR service quotas"), which it counts per account and region; a burst is
 * what one second allows.
 */
export const ECR_RATES: Readonly<Record<string, Rate>> = {
  BatchCheckLayerAvailability: { perSecond: 1000, burst: 1000 },
  BatchGetImage: { perSecond: 2000, burst: 2000 },
  CompleteLayerUpload: { perSecond: 100, burst: 100 },
  GetAuthorizationToken: { perSecond: 500, burst: 500 },
  GetDownloadUrlForLayer: { perSecond: 3000, burst: 3000 },
  InitiateLayerUpload: { perSecond: 100, burst: 100 },
  PutImage: { perSecond: 10, burst: 10 },
  UploadLayerPart: { perSecond: 500, burst: 500 },
};

interface Bucket {
  tokens: number;
  filledAt: number;
}

/**
 * @param now milliseconds of a clock that does not go back
 * @param bucketsMax the one that rested longest is forgotten beyond it; forgotten means full
 */
export function createRateLimiter(
  rates: Readonly<Record<string, Rate>>,
  now: () => number,
  { bucketsMax = 10_000 }: { bucketsMax?: number } = {},
): RateLimiter {
  const rateOf = new Map(Object.entries(rates));
  const buckets = new Map<string, Bucket>();
  return {
    take(principal, operation) {
      const rate = rateOf.get(operation);
      if (rate === undefined) return true;
      const at = now();
      const name = `${operation} ${principal}`;
      const bucket = buckets.get(name) ?? { tokens: rate.burst, filledAt: at };
      const gained = (Math.max(0, at - bucket.filledAt) / 1000) * rate.perSecond;
      bucket.tokens = Math.min(rate.burst, bucket.tokens + gained);
      bucket.filledAt = at;
      // Taken out and put back it stands last, among those used most recently.
      buckets.delete(name);
      buckets.set(name, bucket);
      if (buckets.size > bucketsMax) buckets.delete(buckets.keys().next().value!);
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
  };
}
