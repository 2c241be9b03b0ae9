import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../core/access/caller.ts';
import type { AuditEntry } from '../../core/audit/audit-trail.ts';
import type { GateNote } from '../../core/gates/gate-decision.ts';
import type { Registry } from '../../core/values/registry.ts';
import { requestIdOf } from '../../http/request-id.ts';
import type { Client } from './authenticate.ts';
import type { AwsError } from './errors.ts';

/** What was found out about a request so far. */
export interface AuditNotes {
  /** Absent: the request named none. */
  operation?: string;
  /** Absent until the signature has proved it. */
  caller?: Caller;
  registry?: Registry;
  input?: Readonly<Record<string, unknown>>;
  resources?: readonly string[];
  decision?: string;
  gates?: GateNote[];
}

/** A request as the audit trail keeps it. */
export function auditEntry(
  request: IncomingMessage,
  { at, client, notes, error }: { at: Date; client: Client; notes: AuditNotes; error?: AwsError },
): AuditEntry {
  return {
    at,
    requestId: requestIdOf(request),
    eventName: notes.operation ?? 'UnknownOperation',
    eventSource: 'ecr.amazonaws.com',
    caller: notes.caller,
    registry: notes.registry,
    sourceIp: client.sourceIp,
    userAgent: request.headers['user-agent'],
    resources: notes.resources?.filter((resource) => resource !== '*') ?? [],
    requestParameters: parametersOf(notes.input ?? {}),
    decision: notes.decision,
    gates: notes.gates,
    ...(error && { error: { code: error.code, message: error.message } }),
  };
}

/** Contents, which are kept elsewhere and may be many megabytes. */
const CONTENTS = ['layerPartBlob', 'imageManifest'];

function parametersOf(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([name]) => !CONTENTS.includes(name)));
}
