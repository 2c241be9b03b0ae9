import type { CoreDependencies } from '../core/dependencies.ts';
import type { EventDelivery } from '../core/events/event-delivery.ts';
import { deliverEvent } from './deliver-event.ts';
import type { JobHandlers } from './job-handler.ts';

/** Who does what: every kind of job with its core call. */
export function createJobHandlers(
  _dependencies: CoreDependencies,
  { events }: { readonly events: EventDelivery },
): JobHandlers {
  return {
    'deliver-event': deliverEvent(events),
  };
}
