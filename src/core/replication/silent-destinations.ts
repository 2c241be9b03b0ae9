import { createSilentPlaces, type SilentPlaces } from '../jobs/silent-places.ts';
import { UpstreamError } from '../upstreams/upstream.ts';

/** Lets one copy at a time go to a destination that does not answer; the rest are rejected with UpstreamError. */
export function createSilentDestinations(): SilentPlaces {
  return createSilentPlaces({
    isSilence: (error) => error instanceof UpstreamError && error.code === 'unavailable',
    notTried: (destination) => {
      const message = `not tried: ${destination} does not answer, and another copy waits for it`;
      return new UpstreamError({ code: 'unavailable', host: destination, message });
    },
  });
}
