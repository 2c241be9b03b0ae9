import type { AccessKey } from '../core/access/identity-records.ts';
import { type AccessSession, openAccessSession } from './access-session.ts';
import { CommandError, type Invocation, isOn, optionText } from './command-spec.ts';
import { describeTime, say, sayList } from './output.ts';

/** `gantry key create --user NAME | --root` */
export async function createKey(invocation: Invocation): Promise<void> {
  const owner = ownerOf(invocation);
  if (owner === undefined) throw new CommandError('Say whose key: --user NAME or --root');
  await using session = await openAccessSession(invocation);
  await checkKeyFile(session);
  await sayNewKey(invocation, session, owner.userName);
}

/** `gantry key list [--user NAME | --root]` */
export async function listKeys(invocation: Invocation): Promise<void> {
  const owner = ownerOf(invocation);
  await using session = await openAccessSession(invocation);
  const keys = owner ? await session.records.accessKeys(session.accountId, owner.userName) : await allKeys(session);
  const shown = keys.map(({ id, accountId, userName, isActive, createdAt }) => ({
    accessKeyId: id,
    accountId,
    ...(userName !== undefined && { userName }),
    isActive,
    createdAt,
  }));
  sayList(invocation, shown, {
    headings: ['ACCESS KEY', 'OWNER', 'STATE', 'CREATED'],
    row: ({ accessKeyId, userName, isActive, createdAt }) => [
      accessKeyId,
      userName ?? 'root',
      isActive ? 'active' : 'disabled',
      describeTime(createdAt),
    ],
    none: `There is no access key here (account ${session.accountId}).`,
  });
}

/** `gantry key rotate ID [--disable-old]` */
export async function rotateKey(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [id = ''] = invocation.operands;
  const old = await existingKey(session, id);
  await checkKeyFile(session);
  const disableOld = isOn(invocation, 'disable-old');
  const made = await session.access.identities.createAccessKey(old.accountId, old.userName);
  await session.recordChange('CreateAccessKey', { userName: old.userName, accessKeyId: made.accessKeyId });
  if (disableOld) await changeActive(session, id, false);
  const about = disableOld
    ? `The old key ${id} is disabled; delete it with: gantry key delete ${id}`
    : `The old key ${id} still works. Once nothing uses it: gantry key delete ${id}`;
  say(invocation, [...secretLines(made), about], { ...made, replaces: id, isOldActive: old.isActive && !disableOld });
}

/** `gantry key disable ID` */
export async function disableKey(invocation: Invocation): Promise<void> {
  await setActive(invocation, false);
}

/** `gantry key enable ID` */
export async function enableKey(invocation: Invocation): Promise<void> {
  await setActive(invocation, true);
}

/** `gantry key delete ID` */
export async function deleteKey(invocation: Invocation): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [id = ''] = invocation.operands;
  await session.access.identities.deleteAccessKey(id);
  await session.recordChange('DeleteAccessKey', { accessKeyId: id });
  say(invocation, `Deleted access key ${id}.`, { deleted: id });
}

async function setActive(invocation: Invocation, isActive: boolean): Promise<void> {
  await using session = await openAccessSession(invocation);
  const [id = ''] = invocation.operands;
  await changeActive(session, id, isActive);
  const tokens = isActive ? 'work again' : 'stop working';
  say(invocation, `${isActive ? 'Enabled' : 'Disabled'} access key ${id}; it and the tokens made with it ${tokens}.`, {
    accessKeyId: id,
    isActive,
  });
}

async function changeActive(session: AccessSession, id: string, isActive: boolean): Promise<void> {
  await session.access.identities.setAccessKeyActive(id, isActive);
  await session.recordChange('UpdateAccessKey', { accessKeyId: id, status: isActive ? 'Active' : 'Inactive' });
}

async function sayNewKey(invocation: Invocation, session: AccessSession, userName: string | undefined): Promise<void> {
  const made = await session.access.identities.createAccessKey(session.accountId, userName);
  await session.recordChange('CreateAccessKey', { userName, accessKeyId: made.accessKeyId });
  const owner = { accountId: session.accountId, ...(userName !== undefined && { userName }) };
  say(invocation, secretLines(made), { ...made, ...owner });
}

function secretLines({ accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string }): string[] {
  return [
    `Access key ID:      ${accessKeyId}`,
    `Secret access key:  ${secretAccessKey}`,
    'The secret is shown this once and cannot be shown again.',
  ];
}

/** Undefined when neither option was given. */
function ownerOf(invocation: Invocation): { userName: string | undefined } | undefined {
  const userName = optionText(invocation, 'user');
  const isRoot = isOn(invocation, 'root');
  if (isRoot && userName !== undefined) throw new CommandError('A key belongs to --user or --root; give one of them');
  return isRoot || userName !== undefined ? { userName } : undefined;
}

async function existingKey({ records }: AccessSession, id: string): Promise<AccessKey> {
  const key = await records.accessKey(id);
  if (!key) throw new CommandError(`There is no access key '${id}'`);
  return key;
}

async function allKeys({ records, accountId }: AccessSession): Promise<AccessKey[]> {
  const users = await records.users(accountId);
  const owners = [undefined, ...users.map(({ name }) => name)];
  return (await Promise.all(owners.map((owner) => records.accessKeys(accountId, owner)))).flat();
}

/** A secret kept under another key than the server's would be of no use to it, and nobody would learn why. */
export async function checkKeyFile(session: AccessSession): Promise<void> {
  const [present] = await allKeys(session);
  if (!present) return;
  try {
    session.access.box.open(present.sealedSecret, present.id);
  } catch {
    throw new CommandError(
      `${session.keyFile} is not the key file under which this server keeps its access keys; name that one with --key-file`,
    );
  }
}
