import type {
  ImageReplication,
  ReplicationReads,
  ReplicationRecords,
  ReplicationStatus,
} from '../../../core/replication/replication-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function replicationReads(session: Session): ReplicationReads {
  return {
    async rules({ accountId, region }) {
      const [row] = await rules(session, { account: accountId, region });
      return row ? JSON.parse(row.rules_json) : [];
    },
    async statusesOf(imageId) {
      return (await statusesOf(session, { imageId })).map(toReplication);
    },
  };
}

export function replicationRecords(session: Session): ReplicationRecords {
  return {
    ...replicationReads(session),
    async putRules({ accountId, region }, given) {
      await putRules(session, { account: accountId, region, rules: JSON.stringify(given) });
    },
    async putStatus(imageId, { destination, tag, status, failureCode, updatedAt }) {
      await putStatus(session, {
        imageId,
        account: destination.accountId,
        region: destination.region,
        tag,
        status,
        failureCode: failureCode ?? null,
        updatedAt: updatedAt.getTime(),
      });
    },
  };
}

function toReplication(row: ReplicationRow): ImageReplication {
  return {
    destination: { accountId: row.account, region: row.region },
    tag: row.tag,
    status: row.status as ReplicationStatus,
    ...(row.failure_code !== null && { failureCode: row.failure_code }),
    updatedAt: new Date(row.updated_at),
  };
}

interface InRegistry {
  account: string;
  region: string;
}

interface ReplicationRow extends InRegistry {
  tag: string;
  status: string;
  failure_code: string | null;
  updated_at: number;
}

/** Read within every push: one look into the primary key. */
const rules = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db
    .selectFrom('replication_configurations')
    .select('rules_json')
    .where('account', '=', account)
    .where('region', '=', region),
);

const putRules = prepared((db, { account, region, rules: given }: Placeholders<InRegistry & { rules: string }>) =>
  db
    .insertInto('replication_configurations')
    .values({ account, region, rules_json: given })
    .onConflict((conflict) => conflict.columns(['account', 'region']).doUpdateSet({ rules_json: given })),
);

const statusesOf = prepared((db, { imageId }: Placeholders<{ imageId: number }>) =>
  db
    .selectFrom('image_replications')
    .select(['account', 'region', 'tag', 'status', 'failure_code', 'updated_at'])
    .where('image_id', '=', imageId)
    .orderBy('account')
    .orderBy('region')
    .orderBy('tag'),
);

interface NewStatus extends InRegistry {
  imageId: number;
  tag: string;
  status: string;
  failureCode: string | null;
  updatedAt: number;
}

const putStatus = prepared((db, given: Placeholders<NewStatus>) =>
  db
    .insertInto('image_replications')
    .columns(['image_id', 'account', 'region', 'tag', 'status', 'failure_code', 'updated_at'])
    .expression(
      db
        .selectFrom('images')
        .select([
          'id',
          given.account.as('account'),
          given.region.as('region'),
          given.tag.as('tag'),
          given.status.as('status'),
          given.failureCode.as('failure_code'),
          given.updatedAt.as('updated_at'),
        ])
        .where('id', '=', given.imageId),
    )
    .onConflict((conflict) =>
      conflict.columns(['image_id', 'account', 'region', 'tag']).doUpdateSet({
        status: given.status,
        failure_code: given.failureCode,
        updated_at: given.updatedAt,
      }),
    ),
);
