import type { ExpressionBuilder } from 'kysely';
import { type Placeholders, prepared } from '../session.ts';
import type { Tables } from '../tables.ts';

export const JOB_COLUMNS = [
  'id',
  'kind',
  'payload_json',
  'attempts',
  'created_at',
  'due_at',
  'last_error',
  'dead_at',
] as const;

interface Claim {
  kind: string;
  leaseId: string;
  until: number;
  now: number;
  limit: number;
}

export const claim = prepared((db, { kind, leaseId, until, now, limit }: Placeholders<Claim>, { skippingLocked }) =>
  db
    .updateTable('jobs')
    .set(({ eb }) => ({ lease_id: leaseId, due_at: until, attempts: eb('attempts', '+', 1) }))
    .where(
      'id',
      'in',
      db
        .selectFrom('jobs')
        .select('id')
        .where('kind', '=', kind)
        .where('dead_at', 'is', null)
        .where('due_at', '<=', now)
        .orderBy('due_at')
        .orderBy('id')
        .limit(limit)
        .modifyEnd(skippingLocked),
    )
    .returning(JOB_COLUMNS),
);

interface Held {
  id: number;
  leaseId: string;
}

export const renew = prepared((db, { id, leaseId, until }: Placeholders<Held & { until: number }>) =>
  db
    .updateTable('jobs')
    .set({ due_at: until })
    .where('id', '=', id)
    .where('lease_id', '=', leaseId)
    .where('dead_at', 'is', null)
    .returning('id'),
);

export const complete = prepared((db, { id, leaseId }: Placeholders<Held>) =>
  db.deleteFrom('jobs').where('id', '=', id).where('lease_id', '=', leaseId).returning('id'),
);

export const dropDoubled = prepared((db, { id, leaseId }: Placeholders<Held>) =>
  db
    .deleteFrom('jobs')
    .where('id', '=', id)
    .where('lease_id', '=', leaseId)
    .where((eb) => eb.exists(waitingOfSameKey(eb)))
    .returning('id'),
);

export const dropDeadDoubled = prepared((db, { id }: Placeholders<{ id: number }>) =>
  db
    .deleteFrom('jobs')
    .where('id', '=', id)
    .where('dead_at', 'is not', null)
    .where((eb) => eb.exists(waitingOfSameKey(eb)))
    .returning('id'),
);

/** Of several that are being done one is left. */
export const dropAllDoubled = prepared((db) =>
  db
    .deleteFrom('jobs')
    .where('lease_id', 'is not', null)
    .where((eb) =>
      eb.or([
        eb.exists(waitingOfSameKey(eb)),
        eb.exists(
          ofSameKey(eb)
            .where('other.lease_id', 'is not', null)
            .where(({ eb: other, ref }) => other('other.id', '<', ref('jobs.id'))),
        ),
      ]),
    )
    .returning('id'),
);

function ofSameKey({ selectFrom }: ExpressionBuilder<Tables, 'jobs'>) {
  return selectFrom('jobs as other')
    .select('other.id')
    .whereRef('other.kind', '=', 'jobs.kind')
    .whereRef('other.key', '=', 'jobs.key')
    .where('other.dead_at', 'is', null);
}

function waitingOfSameKey(jobs: ExpressionBuilder<Tables, 'jobs'>) {
  return ofSameKey(jobs).where('other.lease_id', 'is', null);
}

export const release = prepared((db, { id, leaseId, now }: Placeholders<Held & { now: number }>) =>
  db
    .updateTable('jobs')
    .set(({ eb }) => ({ lease_id: null, due_at: now, attempts: eb('attempts', '-', 1) }))
    .where('id', '=', id)
    .where('lease_id', '=', leaseId),
);

export const releaseAll = prepared((db, { now }: Placeholders<{ now: number }>) =>
  db.updateTable('jobs').set({ lease_id: null, due_at: now }).where('lease_id', 'is not', null).returning('id'),
);

export const putBack = prepared(
  (db, { id, leaseId, dueAt, error }: Placeholders<Held & { dueAt: number; error: string }>) =>
    db
      .updateTable('jobs')
      .set({ lease_id: null, due_at: dueAt, last_error: error })
      .where('id', '=', id)
      .where('lease_id', '=', leaseId),
);

export const giveUp = prepared((db, { id, leaseId, at, error }: Placeholders<Held & { at: number; error: string }>) =>
  db
    .updateTable('jobs')
    .set({ lease_id: null, dead_at: at, last_error: error })
    .where('id', '=', id)
    .where('lease_id', '=', leaseId),
);
