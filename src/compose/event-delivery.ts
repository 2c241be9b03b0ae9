import type { SecretBox } from '../core/access/secret-box.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { createEventDelivery, type EventDelivery } from '../core/events/event-delivery.ts';
import { createEventBridgeSender } from '../drivers/events/eventbridge.ts';
import { createFileSender } from '../drivers/events/file.ts';
import { createWebhookSender } from '../drivers/events/webhook.ts';

/** Brings events to targets of every kind. */
export function openEventDelivery(dependencies: CoreDependencies, box: SecretBox): EventDelivery {
  return createEventDelivery(dependencies, box, {
    webhook: createWebhookSender(dependencies),
    file: createFileSender(),
    eventbridge: createEventBridgeSender(),
  });
}
