import type { Secret, SecretReads, SecretRecords } from '../../../core/secrets/secret-records.ts';
import type { SecretsTable } from '../registry-feature-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function secretReads(session: Session): SecretReads {
  return {
    async find({ accountId, region }, name) {
      const [row] = await find(session, { account: accountId, region, name });
      return row && toSecret(row);
    },
    async findByArn(arn) {
      const [row] = await findByArn(session, { arn });
      return row && toSecret(row);
    },
    async list({ accountId, region }) {
      return (await list(session, { account: accountId, region })).map(toSecret);
    },
  };
}

export function secretRecords(session: Session): SecretRecords {
  return {
    ...secretReads(session),
    async put({ registry, name, arn, sealedValue, createdAt, updatedAt }) {
      await put(session, {
        account: registry.accountId,
        region: registry.region,
        name,
        arn,
        sealedValue,
        createdAt: createdAt.getTime(),
        updatedAt: updatedAt.getTime(),
      });
    },
    async delete({ accountId, region }, name) {
      return (await deleteSecret(session, { account: accountId, region, name })).length > 0;
    },
  };
}

function toSecret(row: SecretsTable): Secret {
  return {
    registry: { accountId: row.account, region: row.region },
    name: row.name,
    arn: row.arn,
    sealedValue: row.sealed_value,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}

const COLUMNS = ['account', 'region', 'name', 'arn', 'sealed_value', 'created_at', 'updated_at'] as const;

interface InRegistry {
  account: string;
  region: string;
}

const find = prepared((db, { account, region, name }: Placeholders<InRegistry & { name: string }>) =>
  db
    .selectFrom('secrets')
    .select(COLUMNS)
    .where('account', '=', account)
    .where('region', '=', region)
    .where('name', '=', name),
);

const findByArn = prepared((db, { arn }: Placeholders<{ arn: string }>) =>
  db.selectFrom('secrets').select(COLUMNS).where('arn', '=', arn),
);

const list = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db.selectFrom('secrets').select(COLUMNS).where('account', '=', account).where('region', '=', region).orderBy('name'),
);

interface NewSecret extends InRegistry {
  name: string;
  arn: string;
  sealedValue: Uint8Array;
  createdAt: number;
  updatedAt: number;
}

const put = prepared((db, secret: Placeholders<NewSecret>) =>
  db
    .insertInto('secrets')
    .values({
      account: secret.account,
      region: secret.region,
      name: secret.name,
      arn: secret.arn,
      sealed_value: secret.sealedValue,
      created_at: secret.createdAt,
      updated_at: secret.updatedAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['account', 'region', 'name'])
        .doUpdateSet({ sealed_value: secret.sealedValue, updated_at: secret.updatedAt }),
    ),
);

const deleteSecret = prepared((db, { account, region, name }: Placeholders<InRegistry & { name: string }>) =>
  db
    .deleteFrom('secrets')
    .where('account', '=', account)
    .where('region', '=', region)
    .where('name', '=', name)
    .returning('name'),
);
