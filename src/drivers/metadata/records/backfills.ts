import { sql } from 'kysely';
import type {
  Backfill,
  BackfillReads,
  BackfillRecords,
  BackfillStatus,
} from '../../../core/replication/backfill-records.ts';
import type { BackfillsTable } from '../registry-feature-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import {
  insertItem,
  lastItem,
  pendingItems,
  putResult,
  resultRow,
  results,
  resultsOfStatus,
  toItem,
  toResult,
} from './backfill-results.ts';

export function backfillReads(session: Session): BackfillReads {
  return {
    async find({ accountId, region }, id) {
      const [row] = await find(session, { id });
      return row && row.account === accountId && row.region === region ? toBackfill(row) : undefined;
    },
    async findById(id) {
      const [row] = await find(session, { id });
      return row && toBackfill(row);
    },
    async page({ accountId: account, region }, { endedSince, after, limit }) {
      const asked = { account, region, endedSince: endedSince.getTime(), limit };
      const startedAt = after?.startedAt.getTime() ?? Number.MAX_SAFE_INTEGER;
      return (await page(session, { ...asked, startedAt, id: after?.id ?? '' })).map(toBackfill);
    },
    async running({ accountId: account, region }) {
      return (await running(session, { account, region })).map(toBackfill);
    },
    async lastItem(id) {
      const [row] = await lastItem(session, { id });
      return row && toItem(row);
    },
    async pendingItems(id, after, limit) {
      return (await pendingItems(session, { id, after, limit })).map(toItem);
    },
    async results(id, status, after, limit) {
      const rows =
        status === undefined
          ? await results(session, { id, after, limit })
          : await resultsOfStatus(session, { id, after, limit, status });
      return rows.map(toResult);
    },
  };
}

export function backfillRecords(session: Session): BackfillRecords {
  const reads = backfillReads(session);
  return {
    ...reads,
    async insert(backfill) {
      await insert(session, rowOf(backfill));
    },
    async update(id, changes) {
      const present = await reads.findById(id);
      if (present) await update(session, rowOf({ ...present, ...changes }));
    },
    async insertItems(id, items) {
      for (const item of items) await insertItem(session, resultRow(id, item));
    },
    async putResult(id, result) {
      return (await putResult(session, resultRow(id, result))).length > 0;
    },
    async deleteEnded({ accountId: account, region }, before) {
      return (await deleteEnded(session, { account, region, before: before.getTime() })).length;
    },
  };
}

function toBackfill(row: BackfillsTable): Backfill {
  return {
    id: row.id,
    registry: { accountId: row.account, region: row.region },
    destination: { accountId: row.destination_account, region: row.destination_region },
    status: row.status as BackfillStatus,
    ...(row.failure_code !== null && { failureCode: row.failure_code }),
    total: row.total,
    completed: row.completed,
    failed: row.failed,
    failureCodes: JSON.parse(row.failure_codes_json),
    startedAt: new Date(row.started_at),
    ...(row.ended_at !== null && { endedAt: new Date(row.ended_at) }),
  };
}

interface BackfillRow {
  id: string;
  account: string;
  region: string;
  destinationAccount: string;
  destinationRegion: string;
  status: string;
  failureCode: string | null;
  total: number;
  completed: number;
  failed: number;
  failureCodes: string;
  startedAt: number;
  endedAt: number | null;
}

function rowOf(backfill: Backfill): BackfillRow {
  return {
    id: backfill.id,
    account: backfill.registry.accountId,
    region: backfill.registry.region,
    destinationAccount: backfill.destination.accountId,
    destinationRegion: backfill.destination.region,
    status: backfill.status,
    failureCode: backfill.failureCode ?? null,
    total: backfill.total,
    completed: backfill.completed,
    failed: backfill.failed,
    failureCodes: JSON.stringify(backfill.failureCodes),
    startedAt: backfill.startedAt.getTime(),
    endedAt: backfill.endedAt?.getTime() ?? null,
  };
}

const BACKFILL_COLUMNS = [
  'id',
  'account',
  'region',
  'destination_account',
  'destination_region',
  'status',
  'failure_code',
  'total',
  'completed',
  'failed',
  'failure_codes_json',
  'started_at',
  'ended_at',
] as const;

interface InRegistry {
  account: string;
  region: string;
}

const find = prepared((db, { id }: Placeholders<{ id: string }>) =>
  db.selectFrom('backfills').select(BACKFILL_COLUMNS).where('id', '=', id),
);

interface PageOf extends InRegistry {
  endedSince: number;
  startedAt: number;
  id: string;
  limit: number;
}

const page = prepared((db, { account, region, endedSince, startedAt, id, limit }: Placeholders<PageOf>) =>
  db
    .selectFrom('backfills')
    .select(BACKFILL_COLUMNS)
    .where('account', '=', account)
    .where('region', '=', region)
    .where(sql<boolean>`(started_at, id) < (${startedAt}, ${id})`)
    .where((eb) => eb.or([eb('ended_at', 'is', null), eb('ended_at', '>=', endedSince)]))
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit),
);

/** There are few at any time: those that ended are forgotten after a while. */
const running = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db
    .selectFrom('backfills')
    .select(BACKFILL_COLUMNS)
    .where('account', '=', account)
    .where('region', '=', region)
    .where('ended_at', 'is', null)
    .orderBy('started_at')
    .orderBy('id'),
);

const insert = prepared((db, row: Placeholders<BackfillRow>) =>
  db.insertInto('backfills').values({
    id: row.id,
    account: row.account,
    region: row.region,
    destination_account: row.destinationAccount,
    destination_region: row.destinationRegion,
    status: row.status,
    failure_code: row.failureCode,
    total: row.total,
    completed: row.completed,
    failed: row.failed,
    failure_codes_json: row.failureCodes,
    started_at: row.startedAt,
    ended_at: row.endedAt,
  }),
);

const update = prepared((db, row: Placeholders<BackfillRow>) =>
  db
    .updateTable('backfills')
    .set({
      status: row.status,
      failure_code: row.failureCode,
      total: row.total,
      completed: row.completed,
      failed: row.failed,
      failure_codes_json: row.failureCodes,
      ended_at: row.endedAt,
    })
    .where('id', '=', row.id),
);

const deleteEnded = prepared((db, { account, region, before }: Placeholders<InRegistry & { before: number }>) =>
  db
    .deleteFrom('backfills')
    .where('account', '=', account)
    .where('region', '=', region)
    .where('ended_at', '<', before)
    .returning('id'),
);
