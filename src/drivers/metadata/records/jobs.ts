import { sql } from 'kysely';
import type { Job, JobKind } from '../../../core/jobs/job-kinds.ts';
import type { JobReads, JobRecords } from '../../../core/jobs/job-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function jobReads(session: Session): JobReads {
  return {
    async anyDue(now) {
      return (await firstDue(session, { now: now.getTime() })).length > 0;
    },
    async find(id) {
      const [row] = await find(session, { id });
      return row && toJob(row);
    },
    async dead(kind, afterId, limit) {
      return (await dead(session, { kind, afterId, limit })).map(toJob);
    },
    async counts() {
      return (await counts(session, {})).map((row) => ({ ...row, kind: row.kind as JobKind }));
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
        now: now.getTime(),
        dueAt: (dueAt ?? now).getTime(),
      });
    },
    async claim({ leaseId, until }, now, limit) {
      const claimed = await claim(session, { leaseId, until: until.getTime(), now: now.getTime(), limit });
      return claimed.map(toJob).sort((one, other) => one.id - other.id);
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
    async giveUp(id, leaseId, { at, error }) {
      await giveUp(session, { id, leaseId, at: at.getTime(), error });
    },
    async revive(id, now) {
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
      return (await fire(session, { name, now: at, before: at - intervalSeconds * 1000 })).length > 0;
    },
  };
}

const COLUMNS = ['id', 'kind', 'payload_json', 'attempts', 'created_at', 'due_at', 'last_error', 'dead_at'] as const;

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

const firstDue = prepared((db, { now }: Placeholders<{ now: number }>) =>
  db.selectFrom('jobs').select('id').where('dead_at', 'is', null).where('due_at', '<=', now).limit(1),
);

const find = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db.selectFrom('jobs').select(COLUMNS).where('id', '=', id),
);

const dead = prepared((db, { kind, afterId, limit }: Placeholders<{ kind: string; afterId: number; limit: number }>) =>
  db
    .selectFrom('jobs')
    .select(COLUMNS)
    .where('dead_at', 'is not', null)
    .where('kind', '=', kind)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit),
);

const counts = prepared((db) =>
  db
    .selectFrom('jobs')
    .select(({ fn }) => [
      'kind',
      fn.sum<number>(sql`case when dead_at is null then 1 else 0 end`).as('waiting'),
      fn.sum<number>(sql`case when dead_at is null then 0 else 1 end`).as('dead'),
    ])
    .groupBy('kind')
    .orderBy('kind'),
);

interface NewJobRow {
  kind: string;
  key: string | null;
  payload: string;
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
      created_at: job.now,
      due_at: job.dueAt,
      attempts: 0,
    })
    .onConflict((conflict) => conflict.doNothing()),
);

interface Claim {
  leaseId: string;
  until: number;
  now: number;
  limit: number;
}

const claim = prepared((db, { leaseId, until, now, limit }: Placeholders<Claim>) =>
  db
    .updateTable('jobs')
    .set(({ eb }) => ({ lease_id: leaseId, due_at: until, attempts: eb('attempts', '+', 1) }))
    .where(
      'id',
      'in',
      db
        .selectFrom('jobs')
        .select('id')
        .where('dead_at', 'is', null)
        .where('due_at', '<=', now)
        .orderBy('due_at')
        .orderBy('id')
        .limit(limit),
    )
    .returning(COLUMNS),
);

interface Held {
  id: number;
  leaseId: string;
}

const renew = prepared((db, { id, leaseId, until }: Placeholders<Held & { until: number }>) =>
  db
    .updateTable('jobs')
    .set({ due_at: until })
    .where('id', '=', id)
    .where('lease_id', '=', leaseId)
    .where('dead_at', 'is', null)
    .returning('id'),
);

const complete = prepared((db, { id, leaseId }: Placeholders<Held>) =>
  db.deleteFrom('jobs').where('id', '=', id).where('lease_id', '=', leaseId).returning('id'),
);

const dropDoubled = prepared((db, { id, leaseId }: Placeholders<Held>) =>
  db
    .deleteFrom('jobs')
    .where('id', '=', id)
    .where('lease_id', '=', leaseId)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('jobs as other')
          .select('other.id')
          .whereRef('other.kind', '=', 'jobs.kind')
          .whereRef('other.key', '=', 'jobs.key')
          .where('other.lease_id', 'is', null)
          .where('other.dead_at', 'is', null),
      ),
    )
    .returning('id'),
);

const putBack = prepared((db, { id, leaseId, dueAt, error }: Placeholders<Held & { dueAt: number; error: string }>) =>
  db
    .updateTable('jobs')
    .set({ lease_id: null, due_at: dueAt, last_error: error })
    .where('id', '=', id)
    .where('lease_id', '=', leaseId),
);

const giveUp = prepared((db, { id, leaseId, at, error }: Placeholders<Held & { at: number; error: string }>) =>
  db
    .updateTable('jobs')
    .set({ lease_id: null, dead_at: at, last_error: error })
    .where('id', '=', id)
    .where('lease_id', '=', leaseId),
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

const fire = prepared((db, { name, now, before }: Placeholders<{ name: string; now: number; before: number }>) =>
  db
    .insertInto('schedules')
    .values({ name, fired_at: now })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ fired_at: now }).where('schedules.fired_at', '<=', before),
    )
    .returning('name'),
);
