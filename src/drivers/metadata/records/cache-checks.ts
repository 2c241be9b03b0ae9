import type { CacheCheck, CacheCheckReads, CacheCheckRecords } from '../../../core/caching/cache-check-records.ts';
import type { CacheChecksTable } from '../registry-feature-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function cacheCheckReads(session: Session): CacheCheckReads {
  return {
    async find(repositoryId, tag) {
      const [row] = await find(session, { repositoryId, tag });
      return row && toCheck(row);
    },
    async page(repositoryId, after, limit) {
      return (await page(session, { repositoryId, after, limit })).map(toCheck);
    },
    async counts() {
      const rows = await counts(session, {});
      return rows.map(({ repository_id, tags, checked_at }) => ({
        repositoryId: repository_id,
        tags: Number(tags),
        checkedAt: new Date(Number(checked_at)),
      }));
    },
  };
}

export function cacheCheckRecords(session: Session): CacheCheckRecords {
  return {
    ...cacheCheckReads(session),
    async put({ checkedAt, ...check }) {
      await put(session, { ...check, checkedAt: checkedAt.getTime() });
    },
  };
}

function toCheck(row: CacheChecksTable): CacheCheck {
  return {
    repositoryId: row.repository_id,
    tag: row.tag,
    digest: row.digest,
    checkedAt: new Date(row.checked_at),
  };
}

const COLUMNS = ['repository_id', 'tag', 'digest', 'checked_at'] as const;

const find = prepared((db, { repositoryId, tag }: Placeholders<{ repositoryId: number; tag: string }>) =>
  db.selectFrom('cache_checks').select(COLUMNS).where('repository_id', '=', repositoryId).where('tag', '=', tag),
);

const page = prepared(
  (db, { repositoryId, after, limit }: Placeholders<{ repositoryId: number; after: string; limit: number }>) =>
    db
      .selectFrom('cache_checks')
      .select(COLUMNS)
      .where('repository_id', '=', repositoryId)
      .where('tag', '>', after)
      .orderBy('tag')
      .limit(limit),
);

const counts = prepared((db) =>
  db
    .selectFrom('cache_checks')
    .select(({ fn }) => [
      'repository_id',
      fn.countAll<number | bigint | string>().as('tags'),
      fn.max('checked_at').as('checked_at'),
    ])
    .groupBy('repository_id')
    .orderBy('repository_id'),
);

interface NewCheck {
  repositoryId: number;
  tag: string;
  digest: CacheCheck['digest'];
  checkedAt: number;
}

const put = prepared((db, check: Placeholders<NewCheck>) =>
  db
    .insertInto('cache_checks')
    .values({
      repository_id: check.repositoryId,
      tag: check.tag,
      digest: check.digest,
      checked_at: check.checkedAt,
    })
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'tag']).doUpdateSet({ digest: check.digest, checked_at: check.checkedAt }),
    ),
);
