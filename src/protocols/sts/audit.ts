import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../core/access/caller.ts';
import type { AuditEntry } from '../../core/audit/audit-trail.ts';
import type { Registry } from '../../core/values/registry.ts';
import { requestIdOf } from '../../http/request-id.ts';
import type { ActionName } from './actions.ts';
import type { Client } from './authentication.ts';

/** What was found out about a request so far. */
export interface AuditNotes {
  /** Absent: the request named none. */
  action?: ActionName;
  parameters?: URLSearchParams;
  /** Whom a web identity token proved to be asking. */
  subject?: string;
  /** Absent until a signature has proved it. */
  caller?: Caller;
  registry?: Registry;
}

/** A request as the audit trail keeps it. */
export function auditEntry(
  request: IncomingMessage,
  { at, client, notes, error }: { at: Date; client: Client; notes: AuditNotes; error?: AuditEntry['error'] },
): AuditEntry {
  const { action, parameters, subject, caller, registry } = notes;
  const roleArn = parameters?.get('RoleArn');
  return {
    at,
    requestId: requestIdOf(request),
    eventName: action ?? 'UnknownOperation',
    eventSource: 'sts.amazonaws.com',
    caller,
    registry,
    sourceIp: client.sourceIp,
    userAgent: request.headers['user-agent'],
    resources: roleArn ? [roleArn] : [],
    requestParameters: { ...parametersOf(parameters), ...(subject !== undefined && { subject }) },
    decision: undefined,
    ...(error && { error }),
  };
}

/** All that is told of what was asked for: neither the token nor anything of a presigned link. */
const TOLD = ['RoleArn', 'RoleSessionName', 'DurationSeconds', 'Policy'];

function parametersOf(parameters: URLSearchParams | undefined): Record<string, unknown> {
  const told = TOLD.filter((name) => parameters?.has(name));
  return Object.fromEntries(told.map((name) => [`${name[0]?.toLowerCase()}${name.slice(1)}`, parameters?.get(name)]));
}
