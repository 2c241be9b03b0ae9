import type { EventDelivery } from '../core/events/event-delivery.ts';
import { DeliveryError } from '../core/events/event-sender.ts';
import { GiveUpError, type JobHandler } from './job-handler.ts';

const RETRY_SECONDS_MAX = 3600;

/** Tries for a day: 35 times, at first seconds apart, then an hour. */
export function deliverEvent(delivery: EventDelivery): JobHandler<'deliver-event'> {
  return {
    attemptsMax: 35,
    // One target that takes its time to fail must not hold up the others.
    atOnceMax: 16,
    retrySeconds: (attempts) => Math.min(2 ** attempts, RETRY_SECONDS_MAX),
    async run(payload, context) {
      await delivery.deliver(payload, context).catch((error: unknown) => {
        if (error instanceof DeliveryError && error.isFinal) throw new GiveUpError(error.message, { cause: error });
        throw error;
      });
    },
  };
}
