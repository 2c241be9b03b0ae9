import { userArn } from '../core/access/arn.ts';
import { openAccessSession } from './access-session.ts';
import type { Invocation } from './command-spec.ts';
import { describeTime, say, sayList } from './output.ts';

/** `gantry user create NAME` */
export async function createUser(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [name = ''] = invocation.operands;
  const user = await session.access.identities.createUser(session.accountId, name);
  await session.recordChange('CreateUser', { userName: name });
  say(invocation, [`Created user ${name}, ${user.arn}.`, `  gantry key create --user ${name}`], user);
}

/** `gantry user list` */
export async function listUsers(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const { records, accountId, partition } = session;
  const users = await Promise.all(
    (await records.users(accountId)).map(async (user) => {
      const keys = await records.accessKeys(accountId, user.name);
      const policies = await records.attachedPolicies({ accountId, kind: 'user', name: user.name });
      return {
        ...user,
        arn: userArn(partition, accountId, user.name),
        accessKeyIds: keys.map(({ id }) => id),
        policies: policies.map((policy) => policy.name),
      };
    }),
  );
  sayList(invocation, users, {
    headings: ['NAME', 'CREATED', 'KEYS', 'GROUPS', 'POLICIES'],
    row: ({ name, createdAt, accessKeyIds, groups, policies }) => [
      name,
      describeTime(createdAt),
      String(accessKeyIds.length),
      groups.join(', ') || '-',
      policies.join(', ') || '-',
    ],
    none: `Account ${accountId} has no users.`,
  });
}

/** `gantry user delete NAME` */
export async function deleteUser(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [name = ''] = invocation.operands;
  await session.access.identities.deleteUser(session.accountId, name);
  await session.recordChange('DeleteUser', { userName: name });
  say(invocation, `Deleted user ${name} with its keys, tokens, policies and memberships.`, { deleted: name });
}
