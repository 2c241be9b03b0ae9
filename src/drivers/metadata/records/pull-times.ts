import { type Kysely, sql } from 'kysely';
import type { PullTimeReads, PullTimeRecords } from '../../../core/pull-times/pull-time-records.ts';
import type { Digest } from '../../../core/values/digest.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import type { Tables } from '../tables.ts';

export function pullTimeReads(session: Session): PullTimeReads {
  return {
    async exclusions({ accountId, region }, after, limit) {
      const rows = await exclusions(session, { account: accountId, region, after, limit });
      return rows.map((row) => ({ principalArn: row.principal_arn, createdAt: new Date(row.created_at) }));
    },
    async countExclusions({ accountId, region }) {
      const [row] = await countExclusions(session, { account: accountId, region });
      return row?.count ?? 0;
    },
  };
}

export function pullTimeRecords(session: Session): PullTimeRecords {
  return {
    ...pullTimeReads(session),
    async record({ repositoryId, digest, at }, unlessAfter) {
      const pull = { repositoryId, digest, at: at.getTime(), unlessAfter: unlessAfter.getTime() };
      await recordOfImage(session, pull);
      await recordOfIndexes(session, pull);
    },
    async insertExclusion({ accountId, region }, { principalArn, createdAt }) {
      const exclusion = { account: accountId, region, principalArn, createdAt: createdAt.getTime() };
      return (await insertExclusion(session, exclusion)).length > 0;
    },
    async deleteExclusion({ accountId, region }, principalArn) {
      return (await deleteExclusion(session, { account: accountId, region, principalArn })).length > 0;
    },
  };
}

interface InRegistry {
  account: string;
  region: string;
}

const exclusions = prepared(
  (db, { account, region, after, limit }: Placeholders<InRegistry & { after: string; limit: number }>) =>
    db
      .selectFrom('pull_time_exclusions')
      .select(['principal_arn', 'created_at'])
      .where('account', '=', account)
      .where('region', '=', region)
      .where('principal_arn', '>', after)
      .orderBy('principal_arn')
      .limit(limit),
);

const countExclusions = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db
    .selectFrom('pull_time_exclusions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account', '=', account)
    .where('region', '=', region),
);

interface PullRow {
  repositoryId: number;
  digest: Digest;
  at: number;
  unlessAfter: number;
}

const recordOfImage = prepared((db, pull: Placeholders<PullRow>) =>
  pulled(db, pull).where('repository_id', '=', pull.repositoryId).where('digest', '=', pull.digest),
);

const recordOfIndexes = prepared((db, pull: Placeholders<PullRow>) =>
  pulled(db, pull).where(
    'id',
    'in',
    db
      .selectFrom('image_children')
      .select('image_id')
      .where('repository_id', '=', pull.repositoryId)
      .where('child_digest', '=', pull.digest),
  ),
);

function pulled(db: Kysely<Tables>, { at, unlessAfter }: Placeholders<PullRow>) {
  return db
    .updateTable('images')
    .set({ pulled_at: at })
    .where(sql<boolean>`(pulled_at is null or pulled_at <= ${unlessAfter})`);
}

const insertExclusion = prepared(
  (
    db,
    {
      account,
      region,
      principalArn,
      createdAt,
    }: Placeholders<InRegistry & { principalArn: string; createdAt: number }>,
  ) =>
    db
      .insertInto('pull_time_exclusions')
      .values({ account, region, principal_arn: principalArn, created_at: createdAt })
      .onConflict((conflict) => conflict.columns(['account', 'region', 'principal_arn']).doNothing())
      .returning('principal_arn'),
);

const deleteExclusion = prepared(
  (db, { account, region, principalArn }: Placeholders<InRegistry & { principalArn: string }>) =>
    db
      .deleteFrom('pull_time_exclusions')
      .where('account', '=', account)
      .where('region', '=', region)
      .where('principal_arn', '=', principalArn)
      .returning('principal_arn'),
);
