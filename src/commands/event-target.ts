import type { EventTarget } from '../core/events/event-records.ts';
import { DeliveryError } from '../core/events/event-sender.ts';
import { readDocument } from './access-session.ts';
import { CommandError, type Invocation, isOn, optionText } from './command-spec.ts';
import { type EventSession, openEventSession } from './event-session.ts';
import { targetAddress, targetKind, targetSettings } from './event-target-settings.ts';
import { checkKeyFile } from './key.ts';
import { describeTime, say, sayList } from './output.ts';

/** `gantry events target add NAME webhook|file|eventbridge ADDRESS` */
export async function addTarget(invocation: Invocation): Promise<void> {
  const [name = '', kindText = '', address = ''] = invocation.operands;
  const kind = targetKind(kindText);
  const settings = targetSettings(invocation, kind, address);
  const given = await givenSecret(invocation);
  const replace = isOn(invocation, 'replace');
  await using session = await openEventSession(invocation);
  const hasOne = (await session.targets.list()).some((target) => target.name === name && target.kind === kind);
  const keepsSecret = replace && hasOne && given === undefined;
  const made = kind === 'webhook' && given === undefined && !keepsSecret ? newSecret(session) : undefined;
  if (kind === 'eventbridge' && given === undefined && !keepsSecret) {
    throw new CommandError('--secret-file must give the secret access key; - is standard input');
  }
  const secret = given ?? made;
  if (secret !== undefined) await checkKeyFile(session);
  const target = { name, kind, settings, ...(secret !== undefined && { secret }) };
  await session.targets.put(target, { replace });
  await session.recordChange('PutEventTarget', { name, kind, address: targetAddress(settings) });
  const lines = [
    `Target ${name} is told of ${describeFilter(settings)} from now on: ${kind} ${targetAddress(settings)}.`,
    ...(made === undefined
      ? []
      : [`Secret:  ${made}`, 'It is shown this once; the receiver verifies signatures with it.']),
    `  gantry events target test ${name}`,
  ];
  say(invocation, lines, { name, kind, settings, ...(made !== undefined && { secret: made }) });
}

/** `gantry events target list` */
export async function listTargets(invocation: Invocation): Promise<void> {
  await using session = await openEventSession(invocation);
  const targets = (await session.targets.list()).map(({ sealedSecret: _, ...target }) => target);
  sayList(invocation, targets, {
    headings: ['NAME', 'KIND', 'CREATED', 'ADDRESS', 'EVENTS'],
    row: ({ name, kind, createdAt, settings }) => [
      name,
      kind,
      describeTime(createdAt),
      targetAddress(settings),
      describeFilter(settings),
    ],
    none: 'Nobody is told of events.',
  });
}

/** `gantry events target remove NAME` */
export async function removeTarget(invocation: Invocation): Promise<void> {
  const [name = ''] = invocation.operands;
  await using session = await openEventSession(invocation);
  const discarded = await session.targets.remove(name);
  await session.recordChange('DeleteEventTarget', { name });
  const also = discarded === 0 ? '' : ` ${discarded} deliveries that were given up are forgotten.`;
  say(invocation, `Target ${name} is told of nothing any more.${also}`, { deleted: name, discarded });
}

/** `gantry events target test NAME` */
export async function testTarget(invocation: Invocation): Promise<void> {
  const [name = ''] = invocation.operands;
  await using session = await openEventSession(invocation);
  const target = await session.targets.get(name);
  const said = await session.delivery.test(target, session, NEVER).catch((error: unknown) => {
    if (!(error instanceof DeliveryError)) throw error;
    throw new CommandError(`Target ${name} did not get the test event: ${error.message}`);
  });
  say(invocation, `Target ${name} got the test event: ${said}.`, { name, answer: said });
}

const NEVER = new AbortController().signal;

/** As many bytes as the HMAC gives. */
function newSecret({ dependencies }: EventSession): string {
  return Buffer.from(dependencies.randomBytes(32)).toString('base64url');
}

const SECRET_CHARACTERS_MIN = 16;

async function givenSecret(invocation: Invocation): Promise<string | undefined> {
  const file = optionText(invocation, 'secret-file');
  if (file === undefined) return undefined;
  const secret = (await readDocument(file)).trim();
  if (secret.length >= SECRET_CHARACTERS_MIN) return secret;
  throw new CommandError(
    `The secret in ${file} is too short: it must have ${SECRET_CHARACTERS_MIN} characters or more`,
  );
}

function describeFilter({ detailTypes, repositories, accounts }: EventTarget['settings']): string {
  const parts = [
    detailTypes?.replaceAll(',', ' or ') ?? 'all events',
    ...(repositories === undefined ? [] : [`in ${repositories.replaceAll(',', ' or ')}`]),
    ...(accounts === undefined ? [] : [`of ${accounts.replaceAll(',', ' or ')}`]),
  ];
  return parts.join(' ');
}
