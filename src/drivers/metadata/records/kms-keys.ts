import type { KmsKey, KmsKeyReads, KmsKeyRecords, KmsKeyState } from '../../../core/encryption/kms-key-records.ts';
import type { KmsKeysTable } from '../encryption-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function kmsKeyReads(session: Session): KmsKeyReads {
  return {
    async find(arn) {
      const [row] = await find(session, { arn });
      return row && toKmsKey(row);
    },
    async findByAlias({ accountId, region }, alias) {
      const [row] = await findByAlias(session, { account: accountId, region, alias });
      return row && toKmsKey(row);
    },
    async list({ accountId, region }) {
      return (await list(session, { account: accountId, region })).map(toKmsKey);
    },
  };
}

export function kmsKeyRecords(session: Session): KmsKeyRecords {
  return {
    ...kmsKeyReads(session),
    async insert({ registry, arn, alias, description, state, sealedMaterial, createdAt, deletionAt }) {
      await insert(session, {
        arn,
        account: registry.accountId,
        region: registry.region,
        alias: alias ?? null,
        description,
        state,
        sealedMaterial,
        createdAt: createdAt.getTime(),
        deletionAt: deletionAt?.getTime() ?? null,
      });
    },
    async changeState(arn, state, deletionAt) {
      await changeState(session, { arn, state, deletionAt: deletionAt?.getTime() ?? null });
    },
    async deleteDue(now, limit) {
      return (await deleteDue(session, { now: now.getTime(), limit })).length;
    },
  };
}

function toKmsKey(row: KmsKeysTable): KmsKey {
  return {
    registry: { accountId: row.account, region: row.region },
    arn: row.arn,
    ...(row.alias !== null && { alias: row.alias }),
    description: row.description,
    state: row.state,
    sealedMaterial: row.sealed_material,
    createdAt: new Date(row.created_at),
    ...(row.deletion_at !== null && { deletionAt: new Date(row.deletion_at) }),
  };
}

const COLUMNS = [
  'arn',
  'account',
  'region',
  'alias',
  'description',
  'state',
  'sealed_material',
  'created_at',
  'deletion_at',
] as const;

const find = prepared((db, { arn }: Placeholders<{ arn: string }>) =>
  db.selectFrom('kms_keys').select(COLUMNS).where('arn', '=', arn),
);

const findByAlias = prepared(
  (db, { account, region, alias }: Placeholders<{ account: string; region: string; alias: string }>) =>
    db
      .selectFrom('kms_keys')
      .select(COLUMNS)
      .where('account', '=', account)
      .where('region', '=', region)
      .where('alias', '=', alias),
);

const list = prepared((db, { account, region }: Placeholders<{ account: string; region: string }>) =>
  db
    .selectFrom('kms_keys')
    .select(COLUMNS)
    .where('account', '=', account)
    .where('region', '=', region)
    .orderBy('created_at')
    .orderBy('arn'),
);

interface NewKey {
  arn: string;
  account: string;
  region: string;
  alias: string | null;
  description: string;
  state: KmsKeyState;
  sealedMaterial: Uint8Array;
  createdAt: number;
  deletionAt: number | null;
}

const insert = prepared((db, key: Placeholders<NewKey>) =>
  db.insertInto('kms_keys').values({
    arn: key.arn,
    account: key.account,
    region: key.region,
    alias: key.alias,
    description: key.description,
    state: key.state,
    sealed_material: key.sealedMaterial,
    created_at: key.createdAt,
    deletion_at: key.deletionAt,
  }),
);

interface NewState {
  arn: string;
  state: KmsKeyState;
  deletionAt: number | null;
}

const changeState = prepared((db, { arn, state, deletionAt }: Placeholders<NewState>) =>
  db.updateTable('kms_keys').set({ state, deletion_at: deletionAt }).where('arn', '=', arn),
);

const deleteDue = prepared((db, { now, limit }: Placeholders<{ now: number; limit: number }>) =>
  db
    .deleteFrom('kms_keys')
    .where('arn', 'in', (due) =>
      due
        .selectFrom('kms_keys')
        .select('arn')
        .where('state', '=', 'PendingDeletion')
        .where('deletion_at', '<=', now)
        .orderBy('arn')
        .limit(limit),
    )
    .returning('arn'),
);
