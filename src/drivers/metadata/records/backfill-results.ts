import type { BackfillItem, BackfillResult, BackfillResultStatus } from '../../../core/replication/backfill-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared } from '../session.ts';

export interface ItemRow {
  position: number;
  repository_name: string;
  digest: Digest;
  tag: string;
}

interface StoredResultRow extends ItemRow {
  status: string | null;
  failure_code: string | null;
  sub_failure_codes_json: string | null;
}

export function toItem(row: ItemRow): BackfillItem {
  return { position: row.position, repositoryName: row.repository_name, digest: row.digest, tag: row.tag };
}

export function toResult(row: StoredResultRow): BackfillResult {
  const subImageFailureCodes: string[] | null = row.sub_failure_codes_json && JSON.parse(row.sub_failure_codes_json);
  return {
    ...toItem(row),
    status: row.status as BackfillResultStatus,
    ...(row.failure_code !== null && { failureCode: row.failure_code }),
    ...(subImageFailureCodes !== null && { subImageFailureCodes }),
  };
}

interface ResultRow {
  id: string;
  position: number;
  repositoryName: string;
  digest: Digest;
  tag: string;
  status: string | null;
  failureCode: string | null;
  subFailureCodes: string | null;
}

export function resultRow(id: string, item: BackfillItem | BackfillResult): ResultRow {
  const { position, repositoryName, digest, tag } = item;
  const result = 'status' in item ? item : undefined;
  return {
    id,
    position,
    repositoryName,
    digest,
    tag,
    status: result?.status ?? null,
    failureCode: result?.failureCode ?? null,
    subFailureCodes: result?.subImageFailureCodes ? JSON.stringify(result.subImageFailureCodes) : null,
  };
}

export const insertItem = prepared((db, row: Placeholders<ResultRow>) =>
  db.insertInto('backfill_results').values({
    backfill_id: row.id,
    position: row.position,
    repository_name: row.repositoryName,
    digest: row.digest,
    tag: row.tag,
    status: row.status,
    failure_code: row.failureCode,
    sub_failure_codes_json: row.subFailureCodes,
  }),
);

export const putResult = prepared((db, row: Placeholders<ResultRow>) =>
  db
    .updateTable('backfill_results')
    .set({ status: row.status, failure_code: row.failureCode, sub_failure_codes_json: row.subFailureCodes })
    .where('backfill_id', '=', row.id)
    .where('position', '=', row.position)
    .where('status', 'is', null)
    .returning('position'),
);

const ITEM = ['position', 'repository_name', 'digest', 'tag'] as const;
const RESULT = [...ITEM, 'status', 'failure_code', 'sub_failure_codes_json'] as const;

export const lastItem = prepared((db, { id }: Placeholders<{ id: string }>) =>
  db.selectFrom('backfill_results').select(ITEM).where('backfill_id', '=', id).orderBy('position', 'desc').limit(1),
);

interface PageOf {
  id: string;
  after: number;
  limit: number;
}

export const pendingItems = prepared((db, { id, after, limit }: Placeholders<PageOf>) =>
  db
    .selectFrom('backfill_results')
    .select(ITEM)
    .where('backfill_id', '=', id)
    .where('position', '>', after)
    .where('status', 'is', null)
    .orderBy('position')
    .limit(limit),
);

export const results = prepared((db, { id, after, limit }: Placeholders<PageOf>) =>
  db
    .selectFrom('backfill_results')
    .select(RESULT)
    .where('backfill_id', '=', id)
    .where('position', '>', after)
    .where('status', 'is not', null)
    .orderBy('position')
    .limit(limit),
);

export const resultsOfStatus = prepared((db, { id, after, limit, status }: Placeholders<PageOf & { status: string }>) =>
  db
    .selectFrom('backfill_results')
    .select(RESULT)
    .where('backfill_id', '=', id)
    .where('position', '>', after)
    .where('status', '=', status)
    .orderBy('position')
    .limit(limit),
);
