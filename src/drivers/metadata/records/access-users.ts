import type { Kysely } from 'kysely';
import type { AccessReads, AccessRecords, User } from '../../../core/access/identity-records.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import type { Tables } from '../tables.ts';
import { insertMembership } from './access-groups.ts';
import { deletePoliciesOf } from './access-policies.ts';
import { changeAccess } from './access-version.ts';

export function userReads(session: Session): Pick<AccessReads, 'user' | 'users'> {
  return {
    async user(accountId, name) {
      return toUsers(await find(session, { account: accountId, name }))[0];
    },
    async users(accountId) {
      return toUsers(await all(session, { account: accountId }));
    },
  };
}

export function userChanges(session: Session): Pick<AccessRecords, 'insertUser' | 'deleteUser'> {
  return {
    async insertUser({ accountId, name, userId, groups, createdAt }) {
      const user = { account: accountId, name, userId, createdAt: createdAt.getTime() };
      const inserted = await changeAccess(session, insert, user);
      if (!inserted) return false;
      for (const groupName of groups) {
        await insertMembership(session, { account: accountId, groupName, userName: name });
      }
      return true;
    },
    async deleteUser(accountId, name) {
      await deletePoliciesOf(session, { accountId, kind: 'user', name });
      return changeAccess(session, deleteUser, { account: accountId, name });
    },
  };
}

interface UserInGroup {
  account: string;
  name: string;
  user_id: string;
  created_at: number;
  group_name: string | null;
}

/** Of rows that stand together for each user, one for each of its groups or one without. */
function toUsers(rows: readonly UserInGroup[]): User[] {
  const users: User[] = [];
  let groups: string[] = [];
  for (const { account, name, user_id, created_at, group_name } of rows) {
    if (users.at(-1)?.name !== name) {
      groups = [];
      users.push({ accountId: account, name, userId: user_id, groups, createdAt: new Date(created_at) });
    }
    if (group_name !== null) groups.push(group_name);
  }
  return users;
}

/** One statement, so that a user and its groups are of the same moment. */
function usersInGroups(db: Kysely<Tables>) {
  return db
    .selectFrom('users')
    .leftJoin('memberships', (join) =>
      join.onRef('memberships.account', '=', 'users.account').onRef('memberships.user_name', '=', 'users.name'),
    )
    .select(['users.account', 'users.name', 'users.user_id', 'users.created_at', 'memberships.group_name']);
}

interface OneUser {
  account: string;
  name: string;
}

const find = prepared((db, { account, name }: Placeholders<OneUser>) =>
  usersInGroups(db)
    .where('users.account', '=', account)
    .where('users.name', '=', name)
    .orderBy('memberships.group_name'),
);

const all = prepared((db, { account }: Placeholders<{ account: string }>) =>
  usersInGroups(db).where('users.account', '=', account).orderBy('users.name').orderBy('memberships.group_name'),
);

const insert = prepared(
  (db, { account, name, userId, createdAt }: Placeholders<OneUser & { userId: string; createdAt: number }>) =>
    db
      .insertInto('users')
      .values({ account, name, user_id: userId, created_at: createdAt })
      .onConflict((conflict) => conflict.columns(['account', 'name']).doNothing())
      .returning('name'),
);

const deleteUser = prepared((db, { account, name }: Placeholders<OneUser>) =>
  db.deleteFrom('users').where('account', '=', account).where('name', '=', name).returning('name'),
);
