import type { SecretBox } from '../access/secret-box.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { JobPayloads } from '../jobs/job-kinds.ts';
import type { EventTarget } from './event-records.ts';
import { DeliveryError, type EventSenders } from './event-sender.ts';
import { type EventBridgeEvent, eventTime, TEST_DETAIL_TYPE, toEventBridge } from './eventbridge-event.ts';
import { createSilentTargets } from './silent-targets.ts';

/**
 * Brings events to their targets, each at least once. Every delivery is a job of its own, so a target that fails holds up
 * neither others nor its own later events; so events may arrive in another order than they happened in.
 */
export interface EventDelivery {
  /** The job `deliver-event`; what it speaks of may be gone. Rejects as EventSender.send. */
  deliver(payload: JobPayloads['deliver-event'], context: DeliveryContext): Promise<void>;
  /** Sends an event that says it is a test, now and once. @returns what the other side said; rejects with DeliveryError */
  test(target: EventTarget, registry: { accountId: string; region: string }, signal: AbortSignal): Promise<string>;
}

interface DeliveryContext {
  readonly signal: AbortSignal;
  readonly attempts: number;
}

export function createEventDelivery(
  { metadata, now, newId }: Pick<CoreDependencies, 'metadata' | 'now' | 'newId'>,
  box: SecretBox,
  senders: EventSenders,
): EventDelivery {
  const send = (target: EventTarget, event: EventBridgeEvent, { signal, attempts: attempt }: DeliveryContext) => {
    const { kind, settings } = target;
    const secret = secretOf(box, target);
    return senders[kind].send({ settings, event, attempt, signal, ...(secret !== undefined && { secret }) });
  };
  const silentTargets = createSilentTargets();
  return {
    async deliver({ eventId, target: name }, context) {
      const stored = await metadata.read.events.find(eventId);
      const target = (await metadata.read.events.targets()).find((each) => each.name === name);
      if (!stored || !target) return;
      // A target of the same name was removed meanwhile: this event was never for the new one.
      if (stored.at < target.createdAt) return;
      await silentTargets.guard(name, () => send(target, toEventBridge(stored), context));
    },
    test: (target, registry, signal) =>
      send(target, testEvent(newId(), registry, now(), target.name), { signal, attempts: 1 }),
  };
}

/** Secrets open for the target that they were sealed for, and no other. */
export function targetSecretContext(name: string): string {
  return `event-target/${name}`;
}

function secretOf(box: SecretBox, { name, sealedSecret }: EventTarget): string | undefined {
  if (sealedSecret === undefined) return undefined;
  try {
    return box.open(sealedSecret, targetSecretContext(name));
  } catch (cause) {
    const reason = `the secret of target ${name} does not open: the key file is not the one that it was sealed under`;
    throw new DeliveryError(reason, { cause });
  }
}

function testEvent(
  id: string,
  { accountId, region }: { accountId: string; region: string },
  at: Date,
  target: string,
): EventBridgeEvent {
  return {
    version: '0',
    id,
    'detail-type': TEST_DETAIL_TYPE,
    source: 'aws.ecr',
    account: accountId,
    time: eventTime(at),
    region,
    resources: [],
    detail: { result: 'SUCCESS', 'action-type': 'TEST', target },
  };
}
