import { sql } from 'kysely';
import type { AccessReads, AccessRecords, Role } from '../../../core/access/identity-records.ts';
import type { RolesTable } from '../access-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import { deletePoliciesOf } from './access-policies.ts';
import { changeAccess } from './access-version.ts';

export function roleReads(session: Session): Pick<AccessReads, 'role' | 'roles'> {
  return {
    async role(accountId, name) {
      const [row] = await find(session, { account: accountId, name });
      return row && toRole(row);
    },
    async roles(accountId) {
      return (await all(session, { account: accountId })).map(toRole);
    },
  };
}

export function roleChanges(session: Session): Pick<AccessRecords, 'insertRole' | 'updateRole' | 'deleteRole'> {
  return {
    async insertRole({ accountId, name, roleId, trustPolicy, sessionSecondsMax, createdAt }) {
      return changeAccess(session, insert, {
        account: accountId,
        name,
        roleId,
        trustPolicy,
        sessionSecondsMax,
        createdAt: createdAt.getTime(),
      });
    },
    async updateRole(accountId, name, { trustPolicy = null, sessionSecondsMax = null }) {
      await changeAccess(session, update, { account: accountId, name, trustPolicy, sessionSecondsMax });
    },
    async deleteRole(accountId, name) {
      await deletePoliciesOf(session, { accountId, kind: 'role', name });
      return changeAccess(session, deleteRole, { account: accountId, name });
    },
  };
}

function toRole(row: RolesTable): Role {
  return {
    accountId: row.account,
    name: row.name,
    roleId: row.role_id,
    trustPolicy: row.trust_policy,
    sessionSecondsMax: row.session_seconds_max,
    createdAt: new Date(row.created_at),
  };
}

const COLUMNS = ['account', 'name', 'role_id', 'trust_policy', 'session_seconds_max', 'created_at'] as const;

interface OneRole {
  account: string;
  name: string;
}

const find = prepared((db, { account, name }: Placeholders<OneRole>) =>
  db.selectFrom('roles').select(COLUMNS).where('account', '=', account).where('name', '=', name),
);

const all = prepared((db, { account }: Placeholders<{ account: string }>) =>
  db.selectFrom('roles').select(COLUMNS).where('account', '=', account).orderBy('name'),
);

interface NewRole extends OneRole {
  roleId: string;
  trustPolicy: string;
  sessionSecondsMax: number;
  createdAt: number;
}

const insert = prepared((db, role: Placeholders<NewRole>) =>
  db
    .insertInto('roles')
    .values({
      account: role.account,
      name: role.name,
      role_id: role.roleId,
      trust_policy: role.trustPolicy,
      session_seconds_max: role.sessionSecondsMax,
      created_at: role.createdAt,
    })
    .onConflict((conflict) => conflict.columns(['account', 'name']).doNothing())
    .returning('name'),
);

interface ChangedRole extends OneRole {
  /** Null leaves it as it is. */
  trustPolicy: string | null;
  sessionSecondsMax: number | null;
}

const update = prepared((db, { account, name, trustPolicy, sessionSecondsMax }: Placeholders<ChangedRole>) =>
  db
    .updateTable('roles')
    .set({
      trust_policy: sql<string>`coalesce(${trustPolicy}, trust_policy)`,
      session_seconds_max: sql<number>`coalesce(${sessionSecondsMax}, session_seconds_max)`,
    })
    .where('account', '=', account)
    .where('name', '=', name)
    .returning('name'),
);

const deleteRole = prepared((db, { account, name }: Placeholders<OneRole>) =>
  db.deleteFrom('roles').where('account', '=', account).where('name', '=', name).returning('name'),
);
