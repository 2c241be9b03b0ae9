import type { SigningKeyReads, SigningKeyRecords, SigningPurpose } from '../../../core/access/signing-key-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';

export function signingKeyReads(session: Session): SigningKeyReads {
  return {
    async all(purpose) {
      const rows = await all(session, { purpose });
      return rows.map(({ id, secret, created_at }) => ({ id, purpose, secret, createdAt: new Date(created_at) }));
    },
  };
}

export function signingKeyRecords(session: Session): SigningKeyRecords {
  return {
    ...signingKeyReads(session),
    async insert({ id, purpose, secret, createdAt }) {
      await insert(session, { id, purpose, secret, createdAt: createdAt.getTime() });
    },
  };
}

const all = prepared((db, { purpose }: Placeholders<{ purpose: SigningPurpose }>) =>
  db
    .selectFrom('signing_keys')
    .select(['id', 'secret', 'created_at'])
    .where('purpose', '=', purpose)
    .orderBy('created_at', 'desc')
    .orderBy('id'),
);

interface NewSigningKey {
  id: string;
  purpose: SigningPurpose;
  secret: Uint8Array;
  createdAt: number;
}

const insert = prepared((db, { id, purpose, secret, createdAt }: Placeholders<NewSigningKey>) =>
  db.insertInto('signing_keys').values({ id, purpose, secret, created_at: createdAt }),
);
