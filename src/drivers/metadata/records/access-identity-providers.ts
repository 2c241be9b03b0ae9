import type { AccessReads, AccessRecords, IdentityProvider } from '../../../core/access/identity-records.ts';
import type { IdentityProvidersTable } from '../access-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import { changeAccess } from './access-version.ts';

export function identityProviderReads(session: Session): Pick<AccessReads, 'identityProvider' | 'identityProviders'> {
  return {
    async identityProvider(accountId, issuer) {
      const [row] = await find(session, { account: accountId, issuer });
      return row && toIdentityProvider(row);
    },
    async identityProviders(accountId) {
      return (await all(session, { account: accountId })).map(toIdentityProvider);
    },
  };
}

export function identityProviderChanges(
  session: Session,
): Pick<AccessRecords, 'putIdentityProvider' | 'deleteIdentityProvider'> {
  return {
    async putIdentityProvider({ accountId, issuer, audiences, createdAt }) {
      await changeAccess(session, put, {
        account: accountId,
        issuer,
        audiences: JSON.stringify(audiences),
        createdAt: createdAt.getTime(),
      });
    },
    async deleteIdentityProvider(accountId, issuer) {
      return changeAccess(session, deleteProvider, { account: accountId, issuer });
    },
  };
}

function toIdentityProvider({ account, issuer, audiences_json, created_at }: IdentityProvidersTable): IdentityProvider {
  return { accountId: account, issuer, audiences: JSON.parse(audiences_json), createdAt: new Date(created_at) };
}

const COLUMNS = ['account', 'issuer', 'audiences_json', 'created_at'] as const;

interface OneProvider {
  account: string;
  issuer: string;
}

const find = prepared((db, { account, issuer }: Placeholders<OneProvider>) =>
  db.selectFrom('identity_providers').select(COLUMNS).where('account', '=', account).where('issuer', '=', issuer),
);

const all = prepared((db, { account }: Placeholders<{ account: string }>) =>
  db.selectFrom('identity_providers').select(COLUMNS).where('account', '=', account).orderBy('issuer'),
);

interface NewProvider extends OneProvider {
  audiences: string;
  createdAt: number;
}

const put = prepared((db, { account, issuer, audiences, createdAt }: Placeholders<NewProvider>) =>
  db
    .insertInto('identity_providers')
    .values({ account, issuer, audiences_json: audiences, created_at: createdAt })
    .onConflict((conflict) =>
      conflict.columns(['account', 'issuer']).doUpdateSet({ audiences_json: audiences, created_at: createdAt }),
    )
    .returning('issuer'),
);

const deleteProvider = prepared((db, { account, issuer }: Placeholders<OneProvider>) =>
  db.deleteFrom('identity_providers').where('account', '=', account).where('issuer', '=', issuer).returning('issuer'),
);
