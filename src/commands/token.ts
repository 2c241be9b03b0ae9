import type { RobotToken } from '../core/access/identity-records.ts';
import { openAccessSession } from './access-session.ts';
import { CommandError, type Invocation, optionText, optionTexts } from './command-spec.ts';
import { parseDuration } from './durations.ts';
import { describeTime, say, sayList } from './output.ts';
import { existingPrincipalArn } from './principals.ts';

const ACTIONS: readonly RobotToken['actions'][number][] = ['pull', 'push', 'delete'];

/** `gantry token create --principal WHO [--expires 90d] [--actions pull,push] [--repositories 'team/*']` */
export async function createToken(invocation: Invocation): Promise<void> {
  const expiresSeconds = parseDuration(optionText(invocation, 'expires') ?? '90d', 'expires');
  const actions = actionsOf(invocation);
  const repositories = repositoriesOf(invocation);
  await using session = await openAccessSession(invocation);
  const principalArn = await existingPrincipalArn(session, optionText(invocation, 'principal') ?? '');
  const input = { principalArn, actions, repositories, expiresSeconds };
  const { password, token } = await session.access.robotTokens.create(input);
  await session.recordChange('CreateRobotToken', { id: token.id, ...input });
  const lines = [
    `Token ID:   ${token.id}`,
    `Password:   ${password}`,
    `Acts for:   ${principalArn}`,
    `It may:     ${actions.join(', ')} in ${repositories.join(', ')}, as far as ${nameOf(principalArn)} may`,
    `Expires:    ${describeTime(token.expiresAt)}`,
    'The password is shown this once and cannot be shown again. Docker takes it with any user name:',
    '  docker login --username AWS --password-stdin HOST',
  ];
  say(invocation, lines, { password, ...shownToken(token) });
}

/** `gantry token list` */
export async function listTokens(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const now = session.dependencies.now();
  const tokens = await session.records.robotTokens(session.accountId);
  sayList(invocation, tokens.map(shownToken), {
    headings: ['ID', 'ACTS FOR', 'MAY', 'REPOSITORIES', 'EXPIRES', 'LAST USED'],
    row: ({ id, principalArn, actions, repositories, expiresAt, lastUsedAt }) => [
      id,
      nameOf(principalArn),
      actions.join(', '),
      repositories.join(', '),
      expiresAt > now ? describeTime(expiresAt) : 'expired',
      lastUsedAt ? describeTime(lastUsedAt) : 'never',
    ],
    none: `Account ${session.accountId} has no tokens.`,
  });
}

/** `gantry token revoke ID` */
export async function revokeToken(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [id = ''] = invocation.operands;
  const revoked = await session.dependencies.metadata.transaction('registry', ({ access }) =>
    access.deleteRobotToken(id),
  );
  if (!revoked) throw new CommandError(`There is no token '${id}'`);
  await session.recordChange('RevokeRobotToken', { id });
  say(invocation, `Revoked token ${id}.`, { revoked: id });
}

function actionsOf(invocation: Invocation): RobotToken['actions'] {
  const given = optionText(invocation, 'actions') === undefined ? ['pull'] : optionTexts(invocation, 'actions');
  const known = given.map((text) => {
    const action = ACTIONS.find((one) => one === text);
    if (!action) throw new CommandError(`--actions must be of ${ACTIONS.join(', ')}, not '${text}'`);
    return action;
  });
  if (known.length === 0) throw new CommandError(`--actions must be of ${ACTIONS.join(', ')}`);
  return [...new Set(known)];
}

function repositoriesOf(invocation: Invocation): string[] {
  const given = optionText(invocation, 'repositories') === undefined ? ['*'] : optionTexts(invocation, 'repositories');
  const wrong = given.find((pattern) => !/^[a-z0-9._/*?-]{1,256}$/.test(pattern));
  if (wrong === undefined && given.length > 0) return given;
  throw new CommandError(`--repositories must be names in which * and ? stand for others, not '${wrong ?? ''}'`);
}

function shownToken({ secretSha256: _, ...shown }: RobotToken): Omit<RobotToken, 'secretSha256'> {
  return shown;
}

/** `user/ci` of an ARN. */
function nameOf(principalArn: string): string {
  return principalArn.slice(principalArn.lastIndexOf(':') + 1);
}
