import { sql } from 'kysely';
import type { AccessKey, AccessReads, AccessRecords } from '../../../core/access/identity-records.ts';
import type { AccessKeysTable } from '../access-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import { changeAccess } from './access-version.ts';

export function accessKeyReads(session: Session): Pick<AccessReads, 'accessKey' | 'accessKeys' | 'hasRootKey'> {
  return {
    async accessKey(id) {
      const [row] = await find(session, { id });
      return row && toAccessKey(row);
    },
    async accessKeys(accountId, userName) {
      const rows =
        userName === undefined
          ? await ofRoot(session, { account: accountId })
          : await ofUser(session, { account: accountId, userName });
      return rows.map(toAccessKey);
    },
    async hasRootKey() {
      return (await anyOfRoot(session, {})).length > 0;
    },
  };
}

export function accessKeyChanges(
  session: Session,
): Pick<AccessRecords, 'insertAccessKey' | 'setAccessKeyActive' | 'deleteAccessKey'> {
  return {
    async insertAccessKey({ id, accountId, userName = null, sealedSecret, isActive, createdAt }) {
      await changeAccess(session, insert, {
        id,
        account: accountId,
        userName,
        sealedSecret,
        isActive: isActive ? 1 : 0,
        createdAt: createdAt.getTime(),
      });
    },
    async setAccessKeyActive(id, isActive) {
      return changeAccess(session, setActive, { id, isActive: isActive ? 1 : 0 });
    },
    async deleteAccessKey(id) {
      return changeAccess(session, deleteKey, { id });
    },
  };
}

function toAccessKey(row: AccessKeysTable): AccessKey {
  return {
    id: row.id,
    accountId: row.account,
    ...(row.user_name !== null && { userName: row.user_name }),
    sealedSecret: row.sealed_secret,
    isActive: row.is_active === 1,
    createdAt: new Date(row.created_at),
  };
}

const COLUMNS = ['id', 'account', 'user_name', 'sealed_secret', 'is_active', 'created_at'] as const;

const find = prepared((db, { id }: Placeholders<{ id: string }>) =>
  db.selectFrom('access_keys').select(COLUMNS).where('id', '=', id),
);

const ofUser = prepared((db, { account, userName }: Placeholders<{ account: string; userName: string }>) =>
  db
    .selectFrom('access_keys')
    .select(COLUMNS)
    .where('account', '=', account)
    .where('user_name', '=', userName)
    .orderBy('created_at')
    .orderBy('id'),
);

const ofRoot = prepared((db, { account }: Placeholders<{ account: string }>) =>
  db
    .selectFrom('access_keys')
    .select(COLUMNS)
    .where('account', '=', account)
    .where('user_name', 'is', null)
    .orderBy('created_at')
    .orderBy('id'),
);

const anyOfRoot = prepared((db) =>
  db.selectFrom('access_keys').select('id').where('user_name', 'is', null).limit(sql.lit(1)),
);

interface NewAccessKey {
  id: string;
  account: string;
  userName: string | null;
  sealedSecret: Uint8Array;
  isActive: number;
  createdAt: number;
}

const insert = prepared((db, key: Placeholders<NewAccessKey>) =>
  db
    .insertInto('access_keys')
    .values({
      id: key.id,
      account: key.account,
      user_name: key.userName,
      sealed_secret: key.sealedSecret,
      is_active: key.isActive,
      created_at: key.createdAt,
    })
    .returning('id'),
);

const setActive = prepared((db, { id, isActive }: Placeholders<{ id: string; isActive: number }>) =>
  db.updateTable('access_keys').set({ is_active: isActive }).where('id', '=', id).returning('id'),
);

const deleteKey = prepared((db, { id }: Placeholders<{ id: string }>) =>
  db.deleteFrom('access_keys').where('id', '=', id).returning('id'),
);
