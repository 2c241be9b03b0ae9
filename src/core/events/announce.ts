import type { Records } from '../metadata-store.ts';
import type { Registry } from '../values/registry.ts';
import type { RegistryEvent } from './registry-event.ts';

/** Records an event with what caused it, in one transaction, and one delivery for each target. */
export async function announce(records: Records, registry: Registry, event: RegistryEvent, at: Date): Promise<void> {
  const eventId = await records.events.insert({ registry, event, at });
  for (const { name } of await records.events.targets()) {
    await records.jobs.enqueue({ kind: 'deliver-event', payload: { eventId, target: name } }, at);
  }
}
