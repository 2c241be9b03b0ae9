import { Agent as HttpAgent } from 'node:http';
import type { EventBridgeClient, PutEventsRequestEntry, PutEventsResponse } from '@aws-sdk/client-eventbridge';
import { type Delivery, DeliveryError, type EventSender } from '../../core/events/event-sender.ts';
import type { EventBridgeEvent } from '../../core/events/eventbridge-event.ts';
import { isSafeAddress, lookupLocal, UNSAFE_ADDRESS } from './local-addresses.ts';

const TIMEOUT_MS = 10_000;

/**
 * Puts events on a bus of EventBridge, or of what speaks its API. Settings: `bus` (name or ARN), `region`, `source`,
 * `accessKeyId` and perhaps `endpoint` and `allowHttp`, as of a webhook; the secret is the secret access key.
 *
 * EventBridge gives each entry an id and an account of its own, so the detail also says those that the event had.
 */
export function createEventBridgeSender(): EventSender {
  const clients = new Map<string, Promise<EventBridgeClient>>();
  return {
    async send(delivery) {
      const { endpoint } = delivery.settings;
      if (endpoint !== undefined && !isSafeAddress(new URL(endpoint), delivery.settings)) {
        throw new DeliveryError(UNSAFE_ADDRESS, { isFinal: true });
      }
      const key = JSON.stringify([delivery.settings, delivery.secret]);
      const client = clients.get(key) ?? openClient(delivery);
      clients.set(key, client);
      return putEvent(await client, delivery);
    },
  };
}

/** The SDK is large, and most registries have no such target. */
async function openClient({ settings, secret = '' }: Delivery): Promise<EventBridgeClient> {
  const { EventBridgeClient } = await import('@aws-sdk/client-eventbridge');
  const { accessKeyId = '', region = '', endpoint } = settings;
  return new EventBridgeClient({
    region,
    credentials: { accessKeyId, secretAccessKey: secret },
    // Jobs try again, over a day and not over a second.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      // Else the SDK only says that it still waits, and does so for ever.
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent({ keepAlive: true, lookup: lookupLocal }),
    },
    ...(endpoint !== undefined && { endpoint }),
  });
}

async function putEvent(client: EventBridgeClient, { settings, event, signal }: Delivery): Promise<string> {
  const { PutEventsCommand } = await import('@aws-sdk/client-eventbridge');
  const command = new PutEventsCommand({ Entries: [entryOf(event, settings)] });
  const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  return client.send(command, { abortSignal }).then(takenAs, (error: Error & { code?: string; $fault?: unknown }) => {
    const { name, message, code, $fault } = error;
    const isSilence = name === 'TimeoutError' || (abortSignal.aborted && abortSignal.reason.name === 'TimeoutError');
    if ($fault === undefined) {
      throw new DeliveryError(`it cannot be reached: ${code ?? name}`, { isSilence, cause: error });
    }
    throw new DeliveryError(describe(name, message), { isFinal: isFinal(name), cause: error });
  });
}

function entryOf(event: EventBridgeEvent, { bus = '', source = event.source }: Delivery['settings']) {
  const { id, account, region, time, resources, detail } = event;
  const origin = { 'event-id': id, 'registry-id': account, 'registry-region': region };
  return {
    EventBusName: bus,
    Source: source,
    DetailType: event['detail-type'],
    Time: new Date(time),
    Resources: [...resources],
    Detail: JSON.stringify({ ...detail, ...origin }),
  } satisfies PutEventsRequestEntry;
}

/** An answer of 200 may still refuse its entries (EventBridge API, PutEvents: FailedEntryCount). */
function takenAs({ FailedEntryCount = 0, Entries = [] }: PutEventsResponse): string {
  const [entry] = Entries;
  if (FailedEntryCount === 0) return `taken as event ${entry?.EventId ?? 'without an id'}`;
  const code = entry?.ErrorCode ?? 'without a code';
  throw new DeliveryError(describe(code, entry?.ErrorMessage ?? ''), { isFinal: isFinal(code) });
}

function describe(code: string, message: string): string {
  return message === '' ? `refused: ${code}` : `refused: ${code}: ${message.replace(/\s+/g, ' ').slice(0, 500)}`;
}

/** What is wrong with the event itself. Credentials, permissions, buses and rates may be right an hour later. */
function isFinal(code: string): boolean {
  return ['MalformedDetail', 'InvalidArgument', 'ValidationException', 'SerializationException'].includes(code);
}
