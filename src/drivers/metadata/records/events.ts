import { setTimeout as sleep } from 'node:timers/promises';
import type { EventReads, EventRecords, EventTarget, StoredEvent } from '../../../core/events/event-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function eventReads(session: Session): EventReads {
  return {
    async find(id) {
      const [row] = await find(session, { id });
      return row && toEvent(row);
    },
    async after(id, limit) {
      const [last] = await lastAfter(session, { id });
      if (last === undefined || !(await isSettled(session))) return [];
      const until = last.id;
      return (await between(session, { id, until, limit })).map(toEvent);
    },
    async lastId() {
      const [last] = await lastAfter(session, { id: 0 });
      await isSettled(session);
      return last?.id ?? 0;
    },
    async lastIdBefore(time) {
      const [row] = await lastIdBefore(session, { time: time.getTime() });
      return row?.id ?? 0;
    },
    async targets() {
      return (await targets(session, {})).map(toTarget);
    },
  };
}

export function eventRecords(session: Session): EventRecords {
  const reads = eventReads(session);
  // A transaction may announce a thousand events: it looks once.
  let known: Promise<EventTarget[]> | undefined;
  return {
    ...reads,
    targets() {
      known ??= reads.targets();
      return known;
    },
    async insert({ registry: { accountId: account, region }, events, at }) {
      const texts = JSON.stringify(events.map((event) => JSON.stringify(event)));
      const rows = await insert(session, { account, region, events: texts, at: at.getTime() });
      return rows.map(({ id }) => id).sort((one, other) => one - other);
    },
    async deleteBefore({ delivered, any }, limit) {
      const times = { delivered: delivered.getTime(), any: any.getTime() };
      return (await deleteBefore(session, { ...times, limit })).length;
    },
    async putTarget(target) {
      known = undefined;
      await putTarget(session, {
        name: target.name,
        kind: target.kind,
        settings: JSON.stringify(target.settings),
        sealedSecret: target.sealedSecret ?? null,
        createdAt: target.createdAt.getTime(),
      });
    },
    async deleteTarget(name) {
      known = undefined;
      return (await deleteTarget(session, { name })).length > 0;
    },
  };
}

interface EventRow {
  id: number;
  account: string;
  region: string;
  event_json: string;
  at: number;
}

function toEvent(row: EventRow): StoredEvent {
  return {
    id: row.id,
    registry: { accountId: row.account, region: row.region },
    event: JSON.parse(row.event_json),
    at: new Date(row.at),
  };
}

interface TargetRow {
  name: string;
  kind: string;
  settings_json: string;
  sealed_secret: Uint8Array | null;
  created_at: number;
}

function toTarget(row: TargetRow): EventTarget {
  return {
    name: row.name,
    kind: row.kind as EventTarget['kind'],
    settings: JSON.parse(row.settings_json),
    ...(row.sealed_secret !== null && { sealedSecret: row.sealed_secret }),
    createdAt: new Date(row.created_at),
  };
}

const COLUMNS = ['id', 'account', 'region', 'event_json', 'at'] as const;

const find = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db.selectFrom('events').select(COLUMNS).where('id', '=', id),
);

/**
 * Ids are handed out when events are added, and seen when their transactions are over, which need not be in the same order.
 * What is not seen of the ids up to the last one belongs to writers of this moment.
 *
 * @returns whether those are over, for which it waits a little
 */
async function isSettled(session: Session): Promise<boolean> {
  const writers = session.dialect.writersOf('events');
  if (writers === undefined) return true;
  const query = writers.compile(session.dialect.build).sql;
  const present = async () => new Set((await session.rows<{ writer: string }>(query, [])).map(({ writer }) => writer));
  const before = await present();
  for (let left = SETTLING_LOOKS; before.size > 0 && left > 0; left--) {
    await sleep(SETTLING_MILLISECONDS);
    const now = await present();
    for (const writer of before) if (!now.has(writer)) before.delete(writer);
  }
  return before.size === 0;
}

const SETTLING_LOOKS = 40;
const SETTLING_MILLISECONDS = 25;

interface Between {
  id: number;
  until: number;
  limit: number;
}

const between = prepared((db, { id, until, limit }: Placeholders<Between>) =>
  db.selectFrom('events').select(COLUMNS).where('id', '>', id).where('id', '<=', until).orderBy('id').limit(limit),
);

const lastAfter = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db.selectFrom('events').select('id').where('id', '>', id).orderBy('id', 'desc').limit(1),
);

const lastIdBefore = prepared((db, { time }: Placeholders<{ time: number }>) =>
  db.selectFrom('events').select('id').where('at', '<', time).orderBy('at', 'desc').orderBy('id', 'desc').limit(1),
);

const targets = prepared((db) =>
  db
    .selectFrom('event_targets')
    .select(['name', 'kind', 'settings_json', 'sealed_secret', 'created_at'])
    .orderBy('name'),
);

interface NewEvents {
  account: string;
  region: string;
  events: string;
  at: number;
}

const insert = prepared((db, { account, region, events, at }: Placeholders<NewEvents>, { texts }) =>
  db
    .insertInto('events')
    .columns(['account', 'region', 'event_json', 'at'])
    .expression(
      db
        .selectFrom(texts(events).as('entry'))
        .select([account.as('account'), region.as('region'), 'entry.value as event_json', at.as('at')]),
    )
    .returning('id'),
);

interface Forgetting {
  delivered: number;
  any: number;
  limit: number;
}

const deleteBefore = prepared((db, { delivered, any, limit }: Placeholders<Forgetting>) =>
  db
    .deleteFrom('events')
    .where(
      'id',
      'in',
      db
        .selectFrom('events')
        .select('events.id')
        .where('events.at', '<', delivered)
        .where(({ eb, or, not, exists, selectFrom }) =>
          or([
            eb('events.at', '<', any),
            not(exists(selectFrom('jobs').select('jobs.id').whereRef('jobs.event_id', '=', 'events.id'))),
          ]),
        )
        .orderBy('events.at')
        .limit(limit),
    )
    .returning('id'),
);

interface NewTarget {
  name: string;
  kind: string;
  settings: string;
  sealedSecret: Uint8Array | null;
  createdAt: number;
}

const putTarget = prepared((db, target: Placeholders<NewTarget>) => {
  const changes = { kind: target.kind, settings_json: target.settings, sealed_secret: target.sealedSecret };
  return db
    .insertInto('event_targets')
    .values({ name: target.name, ...changes, created_at: target.createdAt })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(changes));
});

const deleteTarget = prepared((db, { name }: Placeholders<{ name: string }>) =>
  db.deleteFrom('event_targets').where('name', '=', name).returning('name'),
);
