import { toEventBridge } from '../core/events/eventbridge-event.ts';
import type { Job } from '../core/jobs/job-kinds.ts';
import { CommandError, type Invocation, isOn } from './command-spec.ts';
import { type EventSession, openEventSession } from './event-session.ts';
import { describeEvent } from './event-tail.ts';
import { describeTime, say, sayList } from './output.ts';

const PAGE = 200;

/** `gantry events dead list` */
export async function listDead(invocation: Invocation): Promise<void> {
  await using session = await openEventSession(invocation);
  const dead = [];
  for (const { id, payload, attempts, deadAt, lastError } of await deadDeliveries(session)) {
    const stored = await session.dependencies.metadata.read.events.find(payload.eventId);
    const event = stored && toEventBridge(stored);
    dead.push({
      id,
      target: payload.target,
      attempts,
      givenUpAt: deadAt ?? new Date(0),
      error: lastError ?? '-',
      event,
    });
  }
  sayList(invocation, dead, {
    headings: ['ID', 'TARGET', 'ATTEMPTS', 'GIVEN UP', 'WHY', 'EVENT'],
    row: ({ id, target, attempts, givenUpAt, error, event }) => [
      String(id),
      target,
      String(attempts),
      describeTime(givenUpAt),
      error,
      event === undefined ? 'forgotten' : describeEvent(event),
    ],
    none: 'No delivery was given up.',
  });
}

/** `gantry events dead retry [ID | --all]` */
export async function retryDead(invocation: Invocation): Promise<void> {
  await using session = await openEventSession(invocation);
  const { metadata, now } = session.dependencies;
  const retried: number[] = [];
  const forgotten: number[] = [];
  for (const { id, payload } of await chosenDead(invocation, session)) {
    const isThere = (await metadata.read.events.find(payload.eventId)) !== undefined;
    if (!isThere) forgotten.push(id);
    else if (await metadata.transaction('own-rows', ({ jobs }) => jobs.revive(id, now()))) retried.push(id);
  }
  if (retried.length > 0) await session.recordChange('RetryEventDeliveries', { ids: retried });
  if (retried.length === 0 && forgotten.length === 1 && !isOn(invocation, 'all')) {
    throw new CommandError(
      `The event of delivery ${forgotten[0]} is forgotten; gantry events dead discard ${forgotten[0]}`,
    );
  }
  const rest = forgotten.length === 0 ? '' : ` The events of ${forgotten.length} are forgotten; discard them.`;
  say(invocation, `Tries again: ${countOf(retried)}.${rest}`, { retried, forgotten });
}

/** `gantry events dead discard [ID | --all]` */
export async function discardDead(invocation: Invocation): Promise<void> {
  await using session = await openEventSession(invocation);
  const discarded: number[] = [];
  for (const { id } of await chosenDead(invocation, session)) {
    if (await session.dependencies.metadata.transaction('own-rows', ({ jobs }) => jobs.discard(id))) discarded.push(id);
  }
  if (discarded.length > 0) await session.recordChange('DiscardEventDeliveries', { ids: discarded });
  say(invocation, `Discarded: ${countOf(discarded)}.`, { discarded });
}

type Delivery = Job<'deliver-event'>;

async function chosenDead(invocation: Invocation, session: EventSession): Promise<Delivery[]> {
  const [id] = invocation.operands;
  const isAll = isOn(invocation, 'all');
  if ((id === undefined) !== isAll) throw new CommandError('Say which: the id of one delivery, or --all');
  const dead = await deadDeliveries(session);
  if (isAll) return dead;
  const chosen = dead.filter((job) => String(job.id) === id);
  if (chosen.length > 0) return chosen;
  throw new CommandError(`No delivery ${id} was given up; gantry events dead list shows those that were`);
}

async function deadDeliveries({ dependencies }: EventSession): Promise<Delivery[]> {
  const { jobs } = dependencies.metadata.read;
  const found: Delivery[] = [];
  for (;;) {
    const page = (await jobs.dead('deliver-event', found.at(-1)?.id ?? 0, PAGE)) as Delivery[];
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}

function countOf({ length }: readonly number[]): string {
  return length === 1 ? '1 delivery' : `${length} deliveries`;
}
