import { readAccessCommand } from '../config/access-config.ts';
import type { KmsKey } from '../core/encryption/kms-key-records.ts';
import { createKmsKeys, KmsKeyError, type KmsKeys } from '../core/encryption/kms-keys.ts';
import type { Registry } from '../core/values/registry.ts';
import { type AccessSession, openAccessSession } from './access-session.ts';
import { CommandError, type Invocation, optionText } from './command-spec.ts';
import { checkKeyFile } from './key.ts';
import { createOperatorTrail, type RecordChange } from './operator-trail.ts';
import { describeTime, say, sayList } from './output.ts';

/** `gantry kms create [--alias NAME] [--description TEXT]` */
export async function createKey(invocation: Invocation): Promise<void> {
  const given = optionText(invocation, 'alias');
  const alias = given === undefined || given.startsWith('alias/') ? given : `alias/${given}`;
  const description = optionText(invocation, 'description');
  await using session = await openKmsSession(invocation);
  const { keys, registry, recordChange } = session;
  await checkKeyFile(session);
  const wanted = { ...(alias !== undefined && { alias }), ...(description !== undefined && { description }) };
  const key = await told(keys.create(registry, wanted));
  await recordChange('CreateKey', { keyId: key.arn, ...wanted });
  say(invocation, key.arn, shown(key));
}

/** `gantry kms list` */
export async function listKeys(invocation: Invocation): Promise<void> {
  await using session = await openKmsSession(invocation);
  const { keys, registry } = session;
  const uses = await countRepositories(session);
  const listed = (await keys.list(registry)).map((key) => ({ ...shown(key), repositories: uses.get(key.arn) ?? 0 }));
  sayList(invocation, listed, {
    headings: ['ALIAS', 'STATE', 'REPOSITORIES', 'CREATED', 'ARN', 'DESCRIPTION'],
    row: ({ alias, state, deletionAt, repositories, createdAt, arn, description }) => [
      alias ?? '-',
      deletionAt ? `${state} ${describeTime(deletionAt)}` : state,
      String(repositories),
      describeTime(createdAt),
      arn,
      description,
    ],
    none: `Account ${registry.accountId} has no keys in ${registry.region}.`,
  });
}

/** `gantry kms enable KEY` */
export function enableKey(invocation: Invocation): Promise<void> {
  return change(invocation, 'EnableKey', {
    work: (keys, registry, named) => keys.enable(registry, named),
    tell: ({ arn }) => `${arn} can be used again.`,
  });
}

/** `gantry kms disable KEY` */
export function disableKey(invocation: Invocation): Promise<void> {
  return change(invocation, 'DisableKey', {
    work: (keys, registry, named) => keys.disable(registry, named),
    tell: ({ arn }, repositories) =>
      `${arn} cannot be used any more: nothing is pushed to or pulled from ${inWords(repositories)} until it is enabled.`,
  });
}

/** `gantry kms schedule-deletion KEY [--days 7..30]` */
export function scheduleKeyDeletion(invocation: Invocation): Promise<void> {
  const days = Number(optionText(invocation, 'days') ?? '30');
  return change(invocation, 'ScheduleKeyDeletion', {
    work: (keys, registry, named) => keys.scheduleDeletion(registry, named, days),
    tell: ({ arn, deletionAt }, repositories) =>
      `${arn} is deleted on ${deletionAt && describeTime(deletionAt)}, and with it the layers of ${inWords(repositories)}; it cannot be used until then. gantry kms cancel-deletion keeps it.`,
  });
}

/** `gantry kms cancel-deletion KEY` */
export function cancelKeyDeletion(invocation: Invocation): Promise<void> {
  return change(invocation, 'CancelKeyDeletion', {
    work: (keys, registry, named) => keys.cancelDeletion(registry, named),
    tell: ({ arn }) => `${arn} stays. It is disabled: gantry kms enable makes it usable again.`,
  });
}

interface KmsSession extends AccessSession {
  readonly registry: Registry;
  readonly keys: KmsKeys;
  readonly recordChange: RecordChange;
}

async function openKmsSession(invocation: Invocation): Promise<KmsSession> {
  const session = await openAccessSession(invocation);
  const { dependencies, access, accountId, region } = session;
  const { auditFile } = readAccessCommand(invocation.flags, invocation.environment);
  return {
    ...session,
    registry: { accountId, region },
    keys: createKmsKeys(dependencies, async () => access.box),
    recordChange: createOperatorTrail(auditFile, accountId, dependencies.now, 'kms.amazonaws.com'),
  };
}

interface Change {
  work(keys: KmsKeys, registry: Registry, named: string): Promise<KmsKey>;
  tell(key: KmsKey, repositories: number): string;
}

async function change(invocation: Invocation, eventName: string, { work, tell }: Change): Promise<void> {
  const [given = ''] = invocation.operands;
  await using session = await openKmsSession(invocation);
  const { keys, registry, recordChange } = session;
  const key = await told(work(keys, registry, given));
  const { arn, deletionAt } = key;
  await recordChange(eventName, { keyId: arn, ...(deletionAt && { deletionDate: deletionAt.toISOString() }) });
  const repositories = (await countRepositories(session)).get(arn) ?? 0;
  say(invocation, tell(key, repositories), { ...shown(key), repositories });
}

const PAGE = 1000;

/** How many repositories are encrypted under each key. */
async function countRepositories({ dependencies, registry }: KmsSession): Promise<ReadonlyMap<string, number>> {
  const uses = new Map<string, number>();
  const { repositories } = dependencies.metadata.read;
  for (let after = ''; ; ) {
    const page = await repositories.page(registry, after, PAGE);
    for (const { encryption } of page) {
      if (encryption.kmsKey !== undefined) uses.set(encryption.kmsKey, (uses.get(encryption.kmsKey) ?? 0) + 1);
    }
    const last = page.at(-1);
    if (!last) return uses;
    after = last.name;
  }
}

function shown({ registry: _, sealedMaterial: __, ...key }: KmsKey) {
  return key;
}

function inWords(repositories: number): string {
  return repositories === 1 ? '1 repository' : `${repositories} repositories`;
}

/** What is wrong with a key is told in its words alone. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof KmsKeyError ? new CommandError(error.message) : error;
  }
}
