import type { History, ImageFate, PastChange } from '../core/history/history.ts';
import type { DeletedImage } from '../core/history/history-records.ts';
import type { Restoration } from '../core/history/restore.ts';
import { CommandError, type Invocation, optionText } from './command-spec.ts';
import { parseSince } from './durations.ts';
import { describeTime, say, sayList, table } from './output.ts';
import { openTagSession, type TagSession, toldInWords } from './tag-session.ts';

const CHANGES_DEFAULT = 50;
const CHANGES_MAX = 1000;
const PAGE = 100;

/** `gantry tag history REPOSITORY TAG` */
export async function tellTagHistory(invocation: Invocation): Promise<void> {
  await using session = await openTagSession(invocation);
  const [repositoryName = '', tag = ''] = invocation.operands;
  const limit = limitIn(invocation);
  const told = await toldInWords(session.history.tag(session.call, { repositoryName, tag, limit }));
  const since = describeTime(told.rememberedSince);
  if (told.digest === undefined && told.changes.length === 0) {
    throw new CommandError(`Repository ${repositoryName} has no tag ${tag}, and had none since ${since}`);
  }
  const now = told.digest === undefined ? 'There is no such tag now' : `Tag ${tag} is on ${told.digest}`;
  const rows = told.changes.map(changeRow);
  const lines =
    rows.length === 0
      ? [`${now}; it has not changed since ${since}.`]
      : [`${now}.`, ...table(['WHEN', 'TAG', 'DIGEST', 'IMAGE', 'WHY', 'WHO'], rows)];
  if (told.next !== undefined) lines.push(`Older changes are left out; --limit ${CHANGES_MAX} shows more.`);
  say(invocation, lines, told);
}

/** `gantry tag restore REPOSITORY TAG [--to DIGEST | --at WHEN]` */
export async function restoreTag(invocation: Invocation): Promise<void> {
  const [repositoryName = '', tag = ''] = invocation.operands;
  const digest = optionText(invocation, 'to');
  const at = optionText(invocation, 'at');
  if (digest !== undefined && at !== undefined) {
    throw new CommandError('--to names the image and --at the moment to go back to; give one of them');
  }
  const moment = at === undefined ? undefined : parseSince(at, 'at');
  const wanted = { ...(digest !== undefined && { digest }), ...(moment && { moment }) };
  await using session = await openTagSession(invocation);
  const { history, call, recordChange } = session;
  const done = await toldInWords(history.restoreTag(call, { repositoryName, tag, ...wanted }));
  if (done.tags.length > 0) {
    const where = { registryId: call.registry.accountId, repositoryName, imageTag: tag, imageDigest: done.digest };
    await recordChange('RestoreTag', where);
  }
  say(invocation, [describeMove(tag, done), ...describeReturned(done)], done);
}

/** `gantry tag undelete REPOSITORY DIGEST` */
export async function undelete(invocation: Invocation): Promise<void> {
  await using session = await openTagSession(invocation);
  const [repositoryName = '', digest = ''] = invocation.operands;
  const { history, call, recordChange } = session;
  const done = await toldInWords(history.restoreImage(call, { repositoryName, digest }));
  if (done.images.length > 0) {
    await recordChange('RestoreImage', { registryId: call.registry.accountId, repositoryName, imageDigest: digest });
  }
  const first = done.images.length === 0 ? [`Image ${digest} is there; nothing was done.`] : [];
  say(invocation, [...first, ...describeReturned(done)], done);
}

/** `gantry tag deleted REPOSITORY` */
export async function listDeleted(invocation: Invocation): Promise<void> {
  await using session = await openTagSession(invocation);
  const [repositoryName = ''] = invocation.operands;
  const images = await toldInWords(allDeleted(session, repositoryName));
  sayList(invocation, images, {
    headings: ['DELETED', 'UNTIL', 'DIGEST', 'TAGS', 'WHY', 'WHO'],
    row: ({ deletedAt, keptUntil, digest, tags, cause, principal }) => [
      describeTime(deletedAt),
      describeTime(keptUntil),
      digest,
      tags.join(', ') || '-',
      cause,
      principal || '-',
    ],
    none: `Repository ${repositoryName} has no deleted images that could be brought back.`,
  });
}

/** Those deleted last first. */
async function allDeleted({ history, call }: TagSession, repositoryName: string): Promise<DeletedImage[]> {
  const images: DeletedImage[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: Awaited<ReturnType<History['deleted']>> = await history.deleted(call, {
      repositoryName,
      after,
      limit: PAGE,
    });
    images.push(...page.images);
    after = page.next;
  }
  return images.sort((one, other) => other.deletedAt.getTime() - one.deletedAt.getTime());
}

function changeRow({ at, digest, image, cause, principal }: PastChange): string[] {
  const what = digest === undefined ? 'taken from' : 'put on';
  return [describeTime(at), what, image.digest, describeFate(image), cause, principal || '-'];
}

function describeFate({ state, keptUntil }: ImageFate): string {
  if (state === 'present') return 'there';
  return keptUntil ? `deleted, kept until ${describeTime(keptUntil)}` : 'gone';
}

function describeMove(tag: string, { digest, formerDigest, tags }: Restoration): string {
  if (tags.length === 0) return `Tag ${tag} is on ${digest} already; nothing was done.`;
  const before = formerDigest === undefined ? 'there was no such tag' : `it was on ${formerDigest}`;
  return `Tag ${tag} is on ${digest} again; ${before}.`;
}

function describeReturned({ images, tags, status }: Restoration): string[] {
  const returned =
    images.length === 0 ? [] : [`Brought back ${count(images.length, 'deleted image')}:`, ...images.map(indented)];
  const tagged = images.length === 0 || tags.length === 0 ? [] : [`Tags put on them: ${tags.join(', ')}`];
  const archived =
    status === 'ACTIVE' ? [] : [`The image is ${status}: pull it once UpdateImageStorageClass has restored it.`];
  return [...returned, ...tagged, ...archived];
}

function indented(line: string): string {
  return `  ${line}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function limitIn(invocation: Invocation): number {
  const text = optionText(invocation, 'limit') ?? String(CHANGES_DEFAULT);
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= CHANGES_MAX) return limit;
  throw new CommandError(`--limit must be a number from 1 to ${CHANGES_MAX}, not '${text}'`);
}
