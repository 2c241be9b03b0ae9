import { type Refusal, RefusedError } from '../errors.ts';
import { UpstreamError } from '../upstreams/upstream.ts';
import type { CacheRule } from './cache-rule-records.ts';

type UpstreamRefusal = Extract<Refusal, { trouble: string }>;

/** Where something was wanted, for the refusal. */
export interface Wanted {
  readonly kind: UpstreamRefusal['kind'];
  readonly repositoryName: string;
  readonly registryId: string;
}

/** What a client is told when an upstream, or the secret it is asked with, gave trouble; other errors as they are. */
export function upstreamRefusal(error: unknown, rule: CacheRule, wanted: Wanted): unknown {
  if (error instanceof UpstreamError) {
    const { message: reason, retryAfterSeconds } = error;
    const trouble = troubleOf(error, rule);
    const retryAfter = retryAfterSeconds !== undefined && { retryAfterSeconds };
    return new RefusedError({ ...wanted, trouble, reason, ...retryAfter }, { cause: error });
  }
  if (error instanceof RefusedError && error.refusal.kind.startsWith('secret-')) {
    return new RefusedError({ ...wanted, trouble: 'credentials', reason: error.message }, { cause: error });
  }
  return error;
}

export function isMissingUpstream(error: unknown): boolean {
  return error instanceof UpstreamError && error.code === 'not-found';
}

function troubleOf({ code }: UpstreamError, { credentialArn }: CacheRule): UpstreamRefusal['trouble'] {
  switch (code) {
    case 'unauthorized':
      return credentialArn === undefined ? 'denied' : 'credentials';
    case 'denied':
    case 'not-found':
      return 'denied';
    case 'too-many-requests':
    case 'unavailable':
      return code;
    case 'refused':
    case 'invalid':
    case 'forbidden-address':
      return 'invalid';
  }
}
