import type { Records } from '../metadata-store.ts';
import type { Registry } from '../values/registry.ts';
import { wantsEvent } from './event-filter.ts';
import type { RegistryEvent } from './registry-event.ts';

/** Records an event with what caused it, in one transaction, and one delivery for each target that wants it. */
export function announce(records: Records, registry: Registry, event: RegistryEvent, at: Date): Promise<void> {
  return announceAll(records, registry, [event], at);
}

/** The same of several events at once: an image goes with up to 1,000 tags. */
export async function announceAll(
  records: Records,
  registry: Registry,
  events: readonly RegistryEvent[],
  at: Date,
): Promise<void> {
  const [ids, targets] = await Promise.all([records.events.insert({ registry, events, at }), records.events.targets()]);
  for (const [place, event] of events.entries()) {
    for (const target of targets) {
      if (!wantsEvent(target, registry, event)) continue;
      const payload = { eventId: ids[place]!, target: target.name };
      await records.jobs.enqueue({ kind: 'deliver-event', payload }, at);
    }
  }
}
