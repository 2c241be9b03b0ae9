import type { AccessReads, AccessRecords, RobotToken } from '../../../core/access/identity-records.ts';
import type { RobotTokensTable } from '../access-tables.ts';
import { type Placeholders, prepared, type Session } from '../session.ts';
import { changeAccess } from './access-version.ts';

export function robotTokenReads(session: Session): Pick<AccessReads, 'robotToken' | 'robotTokens'> {
  return {
    async robotToken(id) {
      const [row] = await find(session, { id });
      return row && toRobotToken(row);
    },
    async robotTokens(accountId) {
      return (await all(session, { account: accountId })).map(toRobotToken);
    },
  };
}

export function robotTokenChanges(
  session: Session,
): Pick<AccessRecords, 'insertRobotToken' | 'deleteRobotToken' | 'usedRobotToken'> {
  return {
    async insertRobotToken(token) {
      await changeAccess(session, insert, {
        id: token.id,
        account: token.accountId,
        principalArn: token.principalArn,
        secretSha256: token.secretSha256,
        actions: JSON.stringify(token.actions),
        repositories: JSON.stringify(token.repositories),
        createdAt: token.createdAt.getTime(),
        expiresAt: token.expiresAt.getTime(),
        lastUsedAt: token.lastUsedAt?.getTime() ?? null,
      });
    },
    async deleteRobotToken(id) {
      return changeAccess(session, deleteToken, { id });
    },
    async usedRobotToken(id, at) {
      await used(session, { id, at: at.getTime() });
    },
  };
}

function toRobotToken(row: RobotTokensTable): RobotToken {
  return {
    id: row.id,
    accountId: row.account,
    principalArn: row.principal_arn,
    secretSha256: row.secret_sha256,
    actions: JSON.parse(row.actions_json),
    repositories: JSON.parse(row.repositories_json),
    createdAt: new Date(row.created_at),
    expiresAt: new Date(row.expires_at),
    ...(row.last_used_at !== null && { lastUsedAt: new Date(row.last_used_at) }),
  };
}

const COLUMNS = [
  'id',
  'account',
  'principal_arn',
  'secret_sha256',
  'actions_json',
  'repositories_json',
  'created_at',
  'expires_at',
  'last_used_at',
] as const;

const find = prepared((db, { id }: Placeholders<{ id: string }>) =>
  db.selectFrom('robot_tokens').select(COLUMNS).where('id', '=', id),
);

const all = prepared((db, { account }: Placeholders<{ account: string }>) =>
  db.selectFrom('robot_tokens').select(COLUMNS).where('account', '=', account).orderBy('created_at').orderBy('id'),
);

interface NewRobotToken {
  id: string;
  account: string;
  principalArn: string;
  secretSha256: Uint8Array;
  actions: string;
  repositories: string;
  createdAt: number;
  expiresAt: number;
  lastUsedAt: number | null;
}

const insert = prepared((db, token: Placeholders<NewRobotToken>) =>
  db
    .insertInto('robot_tokens')
    .values({
      id: token.id,
      account: token.account,
      principal_arn: token.principalArn,
      secret_sha256: token.secretSha256,
      actions_json: token.actions,
      repositories_json: token.repositories,
      created_at: token.createdAt,
      expires_at: token.expiresAt,
      last_used_at: token.lastUsedAt,
    })
    .returning('id'),
);

const deleteToken = prepared((db, { id }: Placeholders<{ id: string }>) =>
  db.deleteFrom('robot_tokens').where('id', '=', id).returning('id'),
);

const used = prepared((db, { id, at }: Placeholders<{ id: string; at: number }>) =>
  db
    .updateTable('robot_tokens')
    .set({ last_used_at: at })
    .where('id', '=', id)
    // Servers may tell out of order.
    .where(({ or, eb }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', at)])),
);
