import type { Caching } from '../core/caching/caching.ts';
import { RefusedError } from '../core/errors.ts';
import { UpstreamError } from '../core/upstreams/upstream.ts';
import { GiveUpError, type JobHandler } from './job-handler.ts';

const RETRY_SECONDS_MAX = 600;
const PATIENT: Pick<JobHandler<never>, 'attemptsMax' | 'retrySeconds'> = {
  attemptsMax: 30,
  retrySeconds: (attempts) => Math.min(2 ** attempts, RETRY_SECONDS_MAX),
};

/** What other images wait for must not be held up by one that is large or slow. */
const AT_ONCE_MAX = 8;

export function importImageJob(caching: Pick<Caching, 'importImage' | 'forget'>): JobHandler<'import-image'> {
  return {
    ...PATIENT,
    atOnceMax: AT_ONCE_MAX,
    async run(image, { signal, attempts }) {
      try {
        await caching.importImage(image, signal);
      } catch (error) {
        if (isFinal(error) || attempts >= PATIENT.attemptsMax) caching.forget(image);
        throw isFinal(error) ? new GiveUpError((error as Error).message, { cause: error }) : error;
      }
    },
  };
}

export function refreshTagJob(caching: Pick<Caching, 'refreshTag'>): JobHandler<'refresh-cached-tag'> {
  return {
    ...PATIENT,
    async run(tag, { signal }) {
      await caching.refreshTag(tag, signal).catch((error) => {
        throw isFinal(error) ? new GiveUpError(error.message, { cause: error }) : error;
      });
    },
  };
}

/** What the upstream says will not change by itself; a full disk, or silence, may. */
function isFinal(error: unknown): boolean {
  if (error instanceof RefusedError) return error.refusal.kind !== 'storage-full';
  return error instanceof UpstreamError && error.code !== 'unavailable' && error.code !== 'too-many-requests';
}
