import { openEventDelivery } from '../compose/event-delivery.ts';
import { EVENT_SETTINGS } from '../config/settings.ts';
import type { EventDelivery } from '../core/events/event-delivery.ts';
import { createEventTargets, type EventTargets } from '../core/events/event-targets.ts';
import { type AccessSession, openAccessSession } from './access-session.ts';
import type { Invocation } from './command-spec.ts';

/** What a command about events works on: the stores of a server, which may run meanwhile. */
export interface EventSession extends AccessSession {
  readonly targets: EventTargets;
  readonly delivery: EventDelivery;
}

/** Commands about events use flags of the commands about access for something else, such as --account. */
export async function openEventSession(invocation: Invocation): Promise<EventSession> {
  const ours = EVENT_SETTINGS.map(({ flag }): string => flag);
  const flags = Object.fromEntries(Object.entries(invocation.flags).filter(([flag]) => ours.includes(flag)));
  const session = await openAccessSession({ ...invocation, flags });
  const { dependencies, access } = session;
  return {
    ...session,
    targets: createEventTargets(dependencies, access.box),
    delivery: openEventDelivery(dependencies, access.box),
  };
}
