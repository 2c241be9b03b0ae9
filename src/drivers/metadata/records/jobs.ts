import type { Job, JobKind } from '../../../core/jobs/job-kinds.ts';
import type { JobLease, JobReads, JobRecords } from '../../../core/jobs/job-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import {
  claim,
  complete,
  dropAllDoubled,
  dropDeadDoubled,
  dropDoubled,
  giveUp,
  JOB_COLUMNS,
  putBack,
  release,
  releaseAll,
  renew,
} from './job-claims.ts';

export function jobReads(session: Session): JobReads {
  return {
    async dueKinds(kinds, now) {
      const due = await dueKinds(session, { kinds: JSON.stringify(kinds), now: now.getTime() });
      return due.map(({ kind }) => kind as JobKind);
    },
    async find(id) {
      const [row] = await find(session, { id });
      return row && toJob(row);
    },
    async dead(kind, afterId, limit) {
      return (await dead(session, { kind, afterId, limit })).map(toJob);
    },
    async counts() {
      const waiting = new Map((await countWaiting(session, {})).map(({ kind, jobs }) => [kind, jobs]));
      const dead = new Map((await countDead(session, {})).map(({ kind, jobs }) => [kind, jobs]));
      const kinds = [...new Set([...waiting.keys(), ...dead.keys()])].sort();
      return kinds.map((kind) => ({
        kind: kind as JobKind,
        waiting: waiting.get(kind) ?? 0,
        dead: dead.get(kind) ?? 0,
      }));
    },
    async firedAt(name) {
      const [row] = await firedAt(session, { name });
      return row && new Date(row.fired_at);
    },
  };
}

export function jobRecords(session: Session): JobRecords {
  return {
    ...jobReads(session),
    async enqueue({ kind, payload, key, dueAt }, now) {
      await insert(session, {
        kind,
        key: key ?? null,
        payload: JSON.stringify(payload),
        eventId: 'eventId' in payload ? payload.eventId : null,
        now: now.getTime(),
        dueAt: (dueAt ?? now).getTime(),
      });
    },
    async claim<K extends JobKind>(kind: K, { leaseId, until }: JobLease, now: Date, limit: number) {
      const claimed = await claim(session, { kind, leaseId, until: until.getTime(), now: now.getTime(), limit });
      return claimed.map((row) => toJob(row) as Job<K>).sort((one, other) => one.id - other.id);
    },
    async renew(id, { leaseId, until }) {
      return (await renew(session, { id, leaseId, until: until.getTime() })).length > 0;
    },
    async complete(id, leaseId) {
      return (await complete(session, { id, leaseId })).length > 0;
    },
    async retry(id, leaseId, { dueAt, error }) {
      if ((await dropDoubled(session, { id, leaseId })).length > 0) return;
      await putBack(session, { id, leaseId, dueAt: dueAt.getTime(), error });
    },
    async release(id, leaseId, now) {
      if ((await dropDoubled(session, { id, leaseId })).length > 0) return;
      await release(session, { id, leaseId, now: now.getTime() });
    },
    async releaseAll(now) {
      const doubled = await dropAllDoubled(session, {});
      const released = await releaseAll(session, { now: now.getTime() });
      return doubled.length + released.length;
    },
    async giveUp(id, leaseId, { at, error }) {
      await giveUp(session, { id, leaseId, at: at.getTime(), error });
    },
    async revive(id, now) {
      if ((await dropDeadDoubled(session, { id })).length > 0) return true;
      return (await revive(session, { id, now: now.getTime() })).length > 0;
    },
    async discard(id) {
      return (await discard(session, { id })).length > 0;
    },
    async discardDead(before, limit) {
      return (await discardDead(session, { before: before.getTime(), limit })).length;
    },
    async fire(name, intervalSeconds, now) {
      const at = now.getTime();
      await beginSchedule(session, { name, now: at });
      const intervalMs = intervalSeconds * 1000;
      return (await fire(session, { name, now: at, before: at - intervalMs, after: at + intervalMs })).length > 0;
    },
  };
}

interface JobRow {
  id: number;
  kind: string;
  payload_json: string;
  attempts: number;
  created_at: number;
  due_at: number;
  last_error: string | null;
  dead_at: number | null;
}

function toJob(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    payload: JSON.parse(row.payload_json),
    attempts: row.attempts,
    createdAt: new Date(row.created_at),
    dueAt: new Date(row.due_at),
    ...(row.last_error !== null && { lastError: row.last_error }),
    ...(row.dead_at !== null && { deadAt: new Date(row.dead_at) }),
  } as Job;
}

/** A look into the index for each kind: polled several times a second. */
const dueKinds = prepared((db, { kinds, now }: Placeholders<{ kinds: string; now: number }>, { texts }) =>
  db
    .selectFrom(texts(kinds).as('asked'))
    .select('asked.value as kind')
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('jobs')
          .select('id')
          .whereRef('kind', '=', 'asked.value')
          .where('dead_at', 'is', null)
          .where('due_at', '<=', now),
      ),
    ),
);

const find = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db.selectFrom('jobs').select(JOB_COLUMNS).where('id', '=', id),
);

const dead = prepared((db, { kind, afterId, limit }: Placeholders<{ kind: string; afterId: number; limit: number }>) =>
  db
    .selectFrom('jobs')
    .select(JOB_COLUMNS)
    .where('dead_at', 'is not', null)
    .where('kind', '=', kind)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit),
);

const countWaiting = prepared((db) =>
  db
    .selectFrom('jobs')
    .select(({ fn }) => ['kind', fn.countAll<number>().as('jobs')])
    .where('dead_at', 'is', null)
    .groupBy('kind'),
);

const countDead = prepared((db) =>
  db
    .selectFrom('jobs')
    .select(({ fn }) => ['kind', fn.countAll<number>().as('jobs')])
    .where('dead_at', 'is not', null)
    .groupBy('kind'),
);

const firedAt = prepared((db, { name }: Placeholders<{ name: string }>) =>
  db.selectFrom('schedules').select('fired_at').where('name', '=', name),
);

interface NewJobRow {
  kind: string;
  key: string | null;
  payload: string;
  eventId: number | null;
  now: number;
  dueAt: number;
}

const insert = prepared((db, job: Placeholders<NewJobRow>) =>
  db
    .insertInto('jobs')
    .values({
      kind: job.kind,
      key: job.key,
      payload_json: job.payload,
      event_id: job.eventId,
      created_at: job.now,
      due_at: job.dueAt,
      attempts: 0,
    })
    .onConflict((conflict) => conflict.doNothing()),
);

const revive = prepared((db, { id, now }: Placeholders<{ id: number; now: number }>) =>
  db
    .updateTable('jobs')
    .set({ dead_at: null, due_at: now, attempts: 0 })
    .where('id', '=', id)
    .where('dead_at', 'is not', null)
    .returning('id'),
);

const discard = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db.deleteFrom('jobs').where('id', '=', id).where('dead_at', 'is not', null).returning('id'),
);

const discardDead = prepared((db, { before, limit }: Placeholders<{ before: number; limit: number }>) =>
  db
    .deleteFrom('jobs')
    .where(
      'id',
      'in',
      db.selectFrom('jobs').select('id').where('dead_at', 'is not', null).where('dead_at', '<', before).limit(limit),
    )
    .returning('id'),
);

const beginSchedule = prepared((db, { name, now }: Placeholders<{ name: string; now: number }>) =>
  db
    .insertInto('schedules')
    .values({ name, fired_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing()),
);

interface Firing {
  name: string;
  now: number;
  before: number;
  after: number;
}

const fire = prepared((db, { name, now, before, after }: Placeholders<Firing>) =>
  db
    .updateTable('schedules')
    .set({ fired_at: now })
    .where('name', '=', name)
    .where(({ eb, or }) => or([eb('fired_at', '<=', before), eb('fired_at', '>', after)]))
    .returning('name'),
);
