import type { Records } from '../metadata-store.ts';
import type { Registry } from '../values/registry.ts';
import { wantsEvent } from './event-filter.ts';
import type { RegistryEvent } from './registry-event.ts';

/** Records an event with what caused it, in one transaction, and one delivery for each target that wants it. */
export async function announce(records: Records, registry: Registry, event: RegistryEvent, at: Date): Promise<void> {
  const eventId = await records.events.insert({ registry, event, at });
  for (const target of await records.events.targets()) {
    if (!wantsEvent(target, registry, event)) continue;
    await records.jobs.enqueue({ kind: 'deliver-event', payload: { eventId, target: target.name } }, at);
  }
}
