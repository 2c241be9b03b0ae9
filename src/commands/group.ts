import { openAccessSession } from './access-session.ts';
import type { Invocation } from './command-spec.ts';
import { describeTime, say, sayList } from './output.ts';

/** `gantry group create NAME` */
export async function createGroup(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [name = ''] = invocation.operands;
  await session.access.identities.createGroup(session.accountId, name);
  await session.recordChange('CreateGroup', { groupName: name });
  say(invocation, `Created group ${name}.`, { accountId: session.accountId, name });
}

/** `gantry group list` */
export async function listGroups(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const { records, accountId } = session;
  const users = await records.users(accountId);
  const groups = await Promise.all(
    (await records.groups(accountId)).map(async (group) => {
      const policies = await records.attachedPolicies({ accountId, kind: 'group', name: group.name });
      const members = users.filter((user) => user.groups.includes(group.name)).map(({ name }) => name);
      return { ...group, users: members, policies: policies.map(({ name }) => name) };
    }),
  );
  sayList(invocation, groups, {
    headings: ['NAME', 'CREATED', 'USERS', 'POLICIES'],
    row: ({ name, createdAt, users: members, policies }) => [
      name,
      describeTime(createdAt),
      members.join(', ') || '-',
      policies.join(', ') || '-',
    ],
    none: `Account ${accountId} has no groups.`,
  });
}

/** `gantry group delete NAME` */
export async function deleteGroup(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [name = ''] = invocation.operands;
  await session.access.identities.deleteGroup(session.accountId, name);
  await session.recordChange('DeleteGroup', { groupName: name });
  say(invocation, `Deleted group ${name} with its policies.`, { deleted: name });
}

/** `gantry group add GROUP USER` */
export async function addToGroup(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [group = '', user = ''] = invocation.operands;
  await session.access.identities.addToGroup(session.accountId, group, user);
  await session.recordChange('AddUserToGroup', { groupName: group, userName: user });
  say(invocation, `User ${user} is in group ${group}.`, { group, user, isMember: true });
}

/** `gantry group remove GROUP USER` */
export async function removeFromGroup(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [group = '', user = ''] = invocation.operands;
  await session.access.identities.removeFromGroup(session.accountId, group, user);
  await session.recordChange('RemoveUserFromGroup', { groupName: group, userName: user });
  say(invocation, `User ${user} is no longer in group ${group}.`, { group, user, isMember: false });
}
