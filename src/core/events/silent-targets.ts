import { createSilentPlaces, type SilentPlaces } from '../jobs/silent-places.ts';
import { DeliveryError } from './event-sender.ts';

/** Lets one delivery at a time go to a target that takes its time to fail; the rest are rejected with DeliveryError. */
export function createSilentTargets(): SilentPlaces {
  return createSilentPlaces({
    isSilence: (error) => error instanceof DeliveryError && error.isSilence,
    notTried: () => new DeliveryError('not tried: it does not answer, and another delivery waits for it'),
  });
}
