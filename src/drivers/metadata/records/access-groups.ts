import type { AccessReads, AccessRecords, Group } from '../../../core/access/identity-records.ts';
import type { UserGroupsTable } from '../access-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import { deletePoliciesOf } from './access-policies.ts';
import { changeAccess } from './access-version.ts';

export function groupReads(session: Session): Pick<AccessReads, 'group' | 'groups'> {
  return {
    async group(accountId, name) {
      const [row] = await find(session, { account: accountId, name });
      return row && toGroup(row);
    },
    async groups(accountId) {
      return (await all(session, { account: accountId })).map(toGroup);
    },
  };
}

export function groupChanges(
  session: Session,
): Pick<AccessRecords, 'insertGroup' | 'deleteGroup' | 'addToGroup' | 'removeFromGroup'> {
  return {
    async insertGroup({ accountId, name, createdAt }) {
      return changeAccess(session, insert, { account: accountId, name, createdAt: createdAt.getTime() });
    },
    async deleteGroup(accountId, name) {
      await deletePoliciesOf(session, { accountId, kind: 'group', name });
      return changeAccess(session, deleteGroup, { account: accountId, name });
    },
    async addToGroup(accountId, groupName, userName) {
      return changeAccess(session, insertMembership, { account: accountId, groupName, userName });
    },
    async removeFromGroup(accountId, groupName, userName) {
      return changeAccess(session, deleteMembership, { account: accountId, groupName, userName });
    },
  };
}

function toGroup({ account, name, created_at }: UserGroupsTable): Group {
  return { accountId: account, name, createdAt: new Date(created_at) };
}

const COLUMNS = ['account', 'name', 'created_at'] as const;

interface OneGroup {
  account: string;
  name: string;
}

const find = prepared((db, { account, name }: Placeholders<OneGroup>) =>
  db.selectFrom('user_groups').select(COLUMNS).where('account', '=', account).where('name', '=', name),
);

const all = prepared((db, { account }: Placeholders<{ account: string }>) =>
  db.selectFrom('user_groups').select(COLUMNS).where('account', '=', account).orderBy('name'),
);

const insert = prepared((db, { account, name, createdAt }: Placeholders<OneGroup & { createdAt: number }>) =>
  db
    .insertInto('user_groups')
    .values({ account, name, created_at: createdAt })
    .onConflict((conflict) => conflict.columns(['account', 'name']).doNothing())
    .returning('name'),
);

const deleteGroup = prepared((db, { account, name }: Placeholders<OneGroup>) =>
  db.deleteFrom('user_groups').where('account', '=', account).where('name', '=', name).returning('name'),
);

interface Membership {
  account: string;
  groupName: string;
  userName: string;
}

/** Gives a row when the membership is new. */
export const insertMembership = prepared((db, { account, groupName, userName }: Placeholders<Membership>) =>
  db
    .insertInto('memberships')
    .values({ account, user_name: userName, group_name: groupName })
    .onConflict((conflict) => conflict.columns(['account', 'user_name', 'group_name']).doNothing())
    .returning('group_name'),
);

const deleteMembership = prepared((db, { account, groupName, userName }: Placeholders<Membership>) =>
  db
    .deleteFrom('memberships')
    .where('account', '=', account)
    .where('user_name', '=', userName)
    .where('group_name', '=', groupName)
    .returning('group_name'),
);
