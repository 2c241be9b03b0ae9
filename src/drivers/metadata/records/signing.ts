import type {
  ImageSigning,
  SigningReads,
  SigningRecords,
  SigningStatus,
} from '../../../core/signing/signing-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import type { ImageSigningsTable } from '../signing-tables.ts';

export function signingReads(session: Session): SigningReads {
  return {
    async rules({ accountId, region }) {
      const [row] = await rules(session, { account: accountId, region });
      return row && JSON.parse(row.rules_json);
    },
    async allRules() {
      return (await allRules(session, {})).map(({ account, region, rules_json }) => ({
        registry: { accountId: account, region },
        rules: JSON.parse(rules_json),
      }));
    },
    async statusesOf(imageId) {
      return (await statusesOf(session, { imageId })).map(toSigning);
    },
  };
}

export function signingRecords(session: Session): SigningRecords {
  return {
    ...signingReads(session),
    async putRules({ accountId, region }, given) {
      await putRules(session, { account: accountId, region, rules: JSON.stringify(given) });
    },
    async deleteRules({ accountId, region }) {
      return (await deleteRules(session, { account: accountId, region })).length > 0;
    },
    async putStatus(imageId, { profileArn, status, failureCode, failureReason, updatedAt }) {
      await putStatus(session, {
        imageId,
        profileArn,
        status,
        failureCode: failureCode ?? null,
        failureReason: failureReason ?? null,
        updatedAt: updatedAt.getTime(),
      });
    },
  };
}

function toSigning(row: Omit<ImageSigningsTable, 'image_id'>): ImageSigning {
  return {
    profileArn: row.profile_arn,
    status: row.status as SigningStatus,
    ...(row.failure_code !== null && { failureCode: row.failure_code }),
    ...(row.failure_reason !== null && { failureReason: row.failure_reason }),
    updatedAt: new Date(row.updated_at),
  };
}

interface InRegistry {
  account: string;
  region: string;
}

/** Read within every push: one look into the primary key. */
const rules = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db.selectFrom('registry_signing').select('rules_json').where('account', '=', account).where('region', '=', region),
);

const allRules = prepared((db) =>
  db.selectFrom('registry_signing').select(['account', 'region', 'rules_json']).orderBy('account').orderBy('region'),
);

const putRules = prepared((db, { account, region, rules: given }: Placeholders<InRegistry & { rules: string }>) =>
  db
    .insertInto('registry_signing')
    .values({ account, region, rules_json: given })
    .onConflict((conflict) => conflict.columns(['account', 'region']).doUpdateSet({ rules_json: given })),
);

const deleteRules = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db
    .deleteFrom('registry_signing')
    .where('account', '=', account)
    .where('region', '=', region)
    .returning('registry_signing.account'),
);

const statusesOf = prepared((db, { imageId }: Placeholders<{ imageId: number }>) =>
  db
    .selectFrom('image_signings')
    .select(['profile_arn', 'status', 'failure_code', 'failure_reason', 'updated_at'])
    .where('image_id', '=', imageId)
    .orderBy('profile_arn'),
);

interface NewStatus {
  imageId: number;
  profileArn: string;
  status: string;
  failureCode: string | null;
  failureReason: string | null;
  updatedAt: number;
}

const putStatus = prepared((db, given: Placeholders<NewStatus>) =>
  db
    .insertInto('image_signings')
    .columns(['image_id', 'profile_arn', 'status', 'failure_code', 'failure_reason', 'updated_at'])
    .expression(
      db
        .selectFrom('images')
        .select([
          'id',
          given.profileArn.as('profile_arn'),
          given.status.as('status'),
          given.failureCode.as('failure_code'),
          given.failureReason.as('failure_reason'),
          given.updatedAt.as('updated_at'),
        ])
        .where('id', '=', given.imageId),
    )
    .onConflict((conflict) =>
      conflict.columns(['image_id', 'profile_arn']).doUpdateSet({
        status: given.status,
        failure_code: given.failureCode,
        failure_reason: given.failureReason,
        updated_at: given.updatedAt,
      }),
    ),
);
