import { UpstreamError } from '../upstreams/upstream.ts';

/**
 * Lets one copy at a time go to a destination that did not answer the last one, so that it holds up no copies to others; the
 * rest fail at once and wait for their next attempt.
 */
export interface SilentDestinations {
  /**
   * Runs work with a destination, or rejects with UpstreamError without. The rest wait no longer once work has told that it
   * answered, however long the work takes.
   */
  guard<T>(destination: string, work: (answered: () => void) => Promise<T>): Promise<T>;
}

export function createSilentDestinations(): SilentDestinations {
  const silent = new Map<string, { isAsked: boolean }>();
  return {
    async guard(destination, work) {
      const present = silent.get(destination);
      if (present?.isAsked) {
        const message = `not tried: ${destination} does not answer, and another copy waits for it`;
        throw new UpstreamError({ code: 'unavailable', host: destination, message });
      }
      if (present) present.isAsked = true;
      try {
        const value = await work(() => silent.delete(destination));
        silent.delete(destination);
        return value;
      } catch (error) {
        if (error instanceof UpstreamError && error.code === 'unavailable') silent.set(destination, { isAsked: false });
        else silent.delete(destination);
        throw error;
      }
    },
  };
}
