import type { SignerKeyType } from '../../../core/signing/signer-keys.ts';
import type {
  SignerProfile,
  SignerProfileReads,
  SignerProfileRecords,
} from '../../../core/signing/signer-profile-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import type { SignerProfilesTable } from '../signing-tables.ts';

export function signerProfileReads(session: Session): SignerProfileReads {
  return {
    async find(arn) {
      const [row] = await find(session, { arn });
      return row && toProfile(row);
    },
    async list({ accountId, region }) {
      return (await list(session, { account: accountId, region })).map(toProfile);
    },
    async authority({ accountId, region }) {
      const [row] = await authority(session, { account: accountId, region });
      if (!row) return undefined;
      const { certificate, sealed_private_key: sealedPrivateKey, created_at } = row;
      return { certificate, sealedPrivateKey, createdAt: new Date(created_at) };
    },
  };
}

export function signerProfileRecords(session: Session): SignerProfileRecords {
  return {
    ...signerProfileReads(session),
    async insert({ registry, arn, name, keyType, certificateChain, sealedPrivateKey, createdAt, retiredAt }) {
      await insert(session, {
        arn,
        account: registry.accountId,
        region: registry.region,
        name,
        keyType,
        certificateChain,
        sealedPrivateKey,
        createdAt: createdAt.getTime(),
        retiredAt: retiredAt?.getTime() ?? null,
      });
    },
    async retire(arn, at) {
      await retire(session, { arn, at: at.getTime() });
    },
    async delete(arn) {
      return (await remove(session, { arn })).length > 0;
    },
    async insertAuthority({ accountId, region }, { certificate, sealedPrivateKey, createdAt }) {
      const given = { account: accountId, region, certificate, sealedPrivateKey, createdAt: createdAt.getTime() };
      await insertAuthority(session, given);
    },
  };
}

function toProfile(row: SignerProfilesTable): SignerProfile {
  return {
    registry: { accountId: row.account, region: row.region },
    arn: row.arn,
    name: row.name,
    keyType: row.key_type as SignerKeyType,
    certificateChain: row.certificate_chain,
    sealedPrivateKey: row.sealed_private_key,
    createdAt: new Date(row.created_at),
    ...(row.retired_at !== null && { retiredAt: new Date(row.retired_at) }),
  };
}

const PROFILE_COLUMNS = [
  'arn',
  'account',
  'region',
  'name',
  'key_type',
  'certificate_chain',
  'sealed_private_key',
  'created_at',
  'retired_at',
] as const;

const AUTHORITY_COLUMNS = ['account', 'region', 'certificate', 'sealed_private_key', 'created_at'] as const;

interface InRegistry {
  account: string;
  region: string;
}

const find = prepared((db, { arn }: Placeholders<{ arn: string }>) =>
  db.selectFrom('signer_profiles').select(PROFILE_COLUMNS).where('arn', '=', arn),
);

const list = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db
    .selectFrom('signer_profiles')
    .select(PROFILE_COLUMNS)
    .where('account', '=', account)
    .where('region', '=', region)
    .orderBy('name'),
);

const authority = prepared((db, { account, region }: Placeholders<InRegistry>) =>
  db
    .selectFrom('signing_authorities')
    .select(AUTHORITY_COLUMNS)
    .where('account', '=', account)
    .where('region', '=', region),
);

interface NewProfile extends InRegistry {
  arn: string;
  name: string;
  keyType: string;
  certificateChain: string;
  sealedPrivateKey: Uint8Array;
  createdAt: number;
  retiredAt: number | null;
}

const insert = prepared((db, given: Placeholders<NewProfile>) =>
  db.insertInto('signer_profiles').values({
    arn: given.arn,
    account: given.account,
    region: given.region,
    name: given.name,
    key_type: given.keyType,
    certificate_chain: given.certificateChain,
    sealed_private_key: given.sealedPrivateKey,
    created_at: given.createdAt,
    retired_at: given.retiredAt,
  }),
);

const retire = prepared((db, { arn, at }: Placeholders<{ arn: string; at: number }>) =>
  db.updateTable('signer_profiles').set({ retired_at: at }).where('arn', '=', arn),
);

const remove = prepared((db, { arn }: Placeholders<{ arn: string }>) =>
  db.deleteFrom('signer_profiles').where('arn', '=', arn).returning('signer_profiles.arn'),
);

interface NewAuthority extends InRegistry {
  certificate: string;
  sealedPrivateKey: Uint8Array;
  createdAt: number;
}

const insertAuthority = prepared((db, given: Placeholders<NewAuthority>) =>
  db.insertInto('signing_authorities').values({
    account: given.account,
    region: given.region,
    certificate: given.certificate,
    sealed_private_key: given.sealedPrivateKey,
    created_at: given.createdAt,
  }),
);
