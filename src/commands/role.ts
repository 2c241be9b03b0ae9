import { roleArn } from '../core/access/arn.ts';
import { openAccessSession, readDocument } from './access-session.ts';
import { CommandError, type Invocation, optionText } from './command-spec.ts';
import { describeDuration, parseDuration } from './durations.ts';
import { describeTime, say, sayList } from './output.ts';

/** IAM API reference, CreateRole, MaxSessionDuration. */
const SESSION_SECONDS_MIN = 3600;
const SESSION_SECONDS_MAX = 43_200;

/** `gantry role create NAME --trust-policy FILE [--max-session 1h]` */
export async function createRole(invocation: Invocation): Promise<void> {
  const seconds = parseDuration(optionText(invocation, 'max-session') ?? '1h', 'max-session');
  if (seconds < SESSION_SECONDS_MIN || seconds > SESSION_SECONDS_MAX) {
    throw new CommandError('--max-session must lie between 1h and 12h');
  }
  const trustPolicy = await readDocument(optionText(invocation, 'trust-policy') ?? '');
  await using session = await openAccessSession(invocation);
  const [name = ''] = invocation.operands;
  const role = await session.access.identities.createRole(session.accountId, name, trustPolicy, seconds);
  await session.recordChange('CreateRole', {
    roleName: name,
    assumeRolePolicyDocument: trustPolicy,
    maxSessionDuration: seconds,
  });
  say(invocation, [`Created role ${name}, ${role.arn}.`, `  gantry policy attach --role ${name} …`], role);
}

/** `gantry role list` */
export async function listRoles(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const { records, accountId, partition } = session;
  const roles = await Promise.all(
    (await records.roles(accountId)).map(async (role) => {
      const policies = await records.attachedPolicies({ accountId, kind: 'role', name: role.name });
      return { ...role, arn: roleArn(partition, accountId, role.name), policies: policies.map(({ name }) => name) };
    }),
  );
  sayList(invocation, roles, {
    headings: ['NAME', 'CREATED', 'MAX SESSION', 'POLICIES'],
    row: ({ name, createdAt, sessionSecondsMax, policies }) => [
      name,
      describeTime(createdAt),
      describeDuration(sessionSecondsMax),
      policies.join(', ') || '-',
    ],
    none: `Account ${accountId} has no roles.`,
  });
}

/** `gantry role delete NAME` */
export async function deleteRole(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [name = ''] = invocation.operands;
  await session.access.identities.deleteRole(session.accountId, name);
  await session.recordChange('DeleteRole', { roleName: name });
  say(invocation, `Deleted role ${name} with its policies and tokens. Its sessions end.`, { deleted: name });
}
