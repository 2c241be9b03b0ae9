import { readAuditFile } from '../config/access-config.ts';
import type { CloudTrailRecord, UserIdentity } from '../core/audit/cloudtrail-record.ts';
import { auditLines } from './audit-files.ts';
import { type Invocation, isOn, optionText } from './command-spec.ts';
import { parseSince } from './durations.ts';

/** `gantry audit [--since 1h] [--user NAME] [--event NAME] [--errors] [--json]`, oldest first. */
export async function audit(invocation: Invocation): Promise<void> {
  const file = readAuditFile(invocation.flags, invocation.environment);
  const asked = queryOf(invocation);
  const isJson = isOn(invocation, 'json');
  let found = 0;
  for await (const line of auditLines(file, asked.since)) {
    const record = recordOf(line);
    if (!record || !fits(record, asked)) continue;
    if (!isJson && found === 0) console.log(HEADINGS);
    console.log(isJson ? line : describe(record));
    found += 1;
  }
  if (found === 0 && !isJson) console.log(`Nothing of the kind in ${file}.`);
}

interface Query {
  readonly since: Date;
  readonly user: string | undefined;
  readonly event: string | undefined;
  readonly errors: boolean;
}

function queryOf(invocation: Invocation): Query {
  return {
    since: parseSince(optionText(invocation, 'since') ?? '1970-01-01', 'since'),
    user: optionText(invocation, 'user'),
    event: optionText(invocation, 'event')?.toLowerCase(),
    errors: isOn(invocation, 'errors'),
  };
}

/** Undefined for the line of a write that was cut short, and for what is no event. */
function recordOf(line: string): CloudTrailRecord | undefined {
  try {
    const record = JSON.parse(line) as Partial<CloudTrailRecord> | null;
    return record?.eventName === undefined ? undefined : (record as CloudTrailRecord);
  } catch {
    return undefined;
  }
}

function fits({ eventTime, eventName, userIdentity, errorCode }: CloudTrailRecord, asked: Query): boolean {
  // Records tell whole seconds.
  if (Date.parse(eventTime) + 1000 <= asked.since.getTime()) return false;
  if (asked.event !== undefined && eventName.toLowerCase() !== asked.event) return false;
  if (asked.errors && errorCode === undefined) return false;
  return asked.user === undefined || isOf(userIdentity, asked.user);
}

/** By the name of a user or role, `root`, `anonymous`, an ARN, or an access key's id. */
function isOf(identity: UserIdentity, asked: string): boolean {
  const issuer = identity.sessionContext?.sessionIssuer;
  const { userName, arn, accessKeyId } = identity;
  return [userName, issuer?.userName, arn, issuer?.arn, accessKeyId, nameOf(identity)].includes(asked);
}

const WIDTHS = [20, 28, 20, 15, 8] as const;
const HEADINGS = row(['TIME', 'EVENT', 'WHO', 'FROM', 'OUTCOME', 'WHAT']);

function describe(record: CloudTrailRecord): string {
  const { eventTime, eventName, userIdentity, sourceIPAddress, errorCode, resources } = record;
  const what = resources?.map(({ ARN }) => ARN.split(':').slice(5).join(':')).join(', ') ?? '-';
  return row([eventTime, eventName, nameOf(userIdentity), sourceIPAddress ?? '-', errorCode ?? 'ok', what]);
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, column) => printable(cell).padEnd(WIDTHS[column] ?? 0))
    .join('  ')
    .trimEnd();
}

function nameOf({ type, userName, arn, accountId, sessionContext }: UserIdentity): string {
  if (type === 'Root') return 'root';
  if (accountId === 'ANONYMOUS_PRINCIPAL') return 'anonymous';
  if (sessionContext) return `${sessionContext.sessionIssuer.userName}/${arn?.split('/').at(-1) ?? ''}`;
  return userName ?? arn ?? '-';
}

/** Names come from clients, and a terminal obeys what it is shown. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\xa0-\uffff]/g, '?');
}
