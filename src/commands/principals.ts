import { parseIdentityArn, roleArn, rootArn, sessionArn, userArn } from '../core/access/arn.ts';
import type { Caller } from '../core/access/caller.ts';
import { ANONYMOUS } from '../core/access/callers.ts';
import type { AccessSession } from './access-session.ts';
import { CommandError } from './command-spec.ts';

const FORMS = 'user/NAME, role/NAME, or the ARN of a user or role';

/** The ARN of a user or role that exists. @param text its ARN, or `user/NAME` or `role/NAME` of the session's account */
export async function existingPrincipalArn(session: AccessSession, text: string): Promise<string> {
  const arn = fullArn(session, text);
  const identity = parseIdentityArn(arn);
  if (!identity || identity.kind === 'group') throw new CommandError(`'${text}' is not ${FORMS}`);
  const { kind, accountId, name } = identity;
  if ((await session.records[kind](accountId, name)) === undefined) throw missing(kind, name, accountId);
  return arn;
}

/**
 * Who would ask.
 *
 * @param text an ARN of a user, a role, a role's session or an account's root, or `user/NAME`, `role/NAME`, `root`, `anonymous`
 */
export async function callerOf(session: AccessSession, text: string): Promise<Caller> {
  if (text === 'anonymous') return ANONYMOUS;
  const arn = fullArn(session, text);
  const [, rootAccount] = /^arn:aws[a-z-]*:iam::([0-9]{12}):root$/.exec(arn) ?? [];
  if (rootAccount !== undefined) return { kind: 'root', accountId: rootAccount, arn, userId: rootAccount };
  const ofSession = /^arn:aws[a-z-]*:sts::([0-9]{12}):assumed-role\/([^/]+)\/([^/]+)$/.exec(arn);
  if (ofSession) return roleCaller(session, ofSession[1] ?? '', ofSession[2] ?? '', ofSession[3] ?? '');
  const identity = parseIdentityArn(arn);
  if (!identity || identity.kind === 'group') {
    throw new CommandError(`'${text}' is not ${FORMS}, of a session, root, or anonymous`);
  }
  const { kind, accountId, name } = identity;
  if (kind === 'role') return roleCaller(session, accountId, name, 'explained');
  const user = await session.records.user(accountId, name);
  if (!user) throw missing('user', name, accountId);
  return { kind: 'user', accountId, arn, userId: user.userId, userName: name };
}

async function roleCaller(
  { records, partition }: AccessSession,
  accountId: string,
  name: string,
  sessionName: string,
): Promise<Caller> {
  const role = await records.role(accountId, name);
  if (!role) throw missing('role', name, accountId);
  return {
    kind: 'assumed-role',
    accountId,
    arn: sessionArn(partition, accountId, name, sessionName),
    userId: `${role.roleId}:${sessionName}`,
    roleArn: roleArn(partition, accountId, name),
  };
}

function fullArn({ accountId, partition }: AccessSession, text: string): string {
  if (text === 'root') return rootArn(partition, accountId);
  const [, kind, name = ''] = /^(user|role)\/(.+)$/.exec(text) ?? [];
  if (kind === 'user') return userArn(partition, accountId, name);
  return kind === 'role' ? roleArn(partition, accountId, name) : text;
}

function missing(kind: string, name: string, accountId: string): CommandError {
  return new CommandError(`There is no ${kind} '${name}' in account ${accountId}`);
}
