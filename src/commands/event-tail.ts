import { setTimeout as sleep } from 'node:timers/promises';
import type { EventReads, StoredEvent } from '../core/events/event-records.ts';
import { type EventBridgeEvent, toEventBridge } from '../core/events/eventbridge-event.ts';
import { type Invocation, isOn, optionText } from './command-spec.ts';
import { parseSince } from './durations.ts';
import { openEventSession } from './event-session.ts';

const POLL_MS = 300;
const PAGE = 500;

/** `gantry events tail [--since 1h] [--json]`: one line for each event, until it is interrupted or nobody reads on. */
export async function tailEvents(invocation: Invocation): Promise<void> {
  const sinceText = optionText(invocation, 'since');
  const since = sinceText === undefined ? undefined : parseSince(sinceText, 'since');
  const show = isOn(invocation, 'json') ? (event: EventBridgeEvent) => JSON.stringify(event) : describeEvent;
  await using session = await openEventSession(invocation);
  using end = endOfInterest();
  for await (const stored of eventsSince(session.dependencies.metadata.read.events, since, end.signal)) {
    process.stdout.write(`${show(toEventBridge(stored))}\n`);
  }
}

/** `TIME  ACTION  REPOSITORY:TAG  DIGEST  ACCOUNT/REGION` */
export function describeEvent(event: EventBridgeEvent): string {
  const { time, account, region, detail } = event;
  const words = [detail['action-type'] ?? event['detail-type'], detail['target-storage-class']];
  const action = words.filter((word) => word !== undefined).join(' ');
  const tag = detail['image-tag'] === undefined ? '' : `:${detail['image-tag']}`;
  const counts = ['expired', 'transitioned', 'failed'].flatMap((word) => {
    const count = detail[`${word}-image-count`];
    return count === undefined ? [] : [`${count} ${word}`];
  });
  const what = detail['image-digest'] ?? counts.join(', ');
  const kind =
    event['detail-type'] === 'ECR Referrer Action' ? ` (${detail['artifact-media-type'] ?? 'referrer'})` : '';
  return `${time}  ${action.padEnd(8)}  ${detail['repository-name']}${tag}  ${what}${kind}  ${account}/${region}`;
}

async function* eventsSince(
  events: EventReads,
  since: Date | undefined,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent> {
  let last = since === undefined ? await events.lastId() : await events.lastIdBefore(since);
  while (!signal.aborted) {
    const page = await events.after(last, PAGE);
    yield* page;
    last = page.at(-1)?.id ?? last;
    if (page.length < PAGE) await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

/** Aborted on SIGINT or SIGTERM, or when the program that reads us has ended. */
function endOfInterest(): Disposable & { readonly signal: AbortSignal } {
  const end = new AbortController();
  const stop = () => end.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  process.stdout.on('error', stop);
  return {
    signal: end.signal,
    [Symbol.dispose]() {
      process.off('SIGINT', stop).off('SIGTERM', stop);
    },
  };
}
