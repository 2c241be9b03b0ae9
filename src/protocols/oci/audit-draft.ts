import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../core/access/caller.ts';
import type { AuditEntry, AuditTrail } from '../../core/audit/audit-trail.ts';
import type { GateNote } from '../../core/gates/gate-decision.ts';
import type { Registry } from '../../core/values/registry.ts';
import { BodyAbortedError } from '../../http/body.ts';
import { requestIdOf } from '../../http/request-id.ts';
import type { Client } from './client.ts';
import { ociErrorOf } from './errors.ts';
import type { PathMatch } from './paths.ts';

/** What is known of a request for the audit trail, filled in as it is found out. */
export interface AuditDraft {
  readonly at: Date;
  /** Undefined until it is known to be worth an entry: `/v2/` alone is not. */
  eventName: string | undefined;
  caller?: Caller;
  registry?: Registry;
  resources: readonly string[];
  requestParameters: Readonly<Record<string, string>>;
  decision?: string;
  gates?: readonly GateNote[];
  error?: { readonly code: string; readonly message: string };
}

export function newAuditDraft(at: Date): AuditDraft {
  return { at, eventName: undefined, resources: NOTHING, requestParameters: {} };
}

/** Puts the entry into the trail, once the request is over. */
export function recordDraft(
  audit: AuditTrail,
  request: IncomingMessage,
  { sourceIp }: Client,
  draft: AuditDraft,
): void {
  if (draft.eventName === undefined) return;
  const entry: AuditEntry = {
    at: draft.at,
    requestId: requestIdOf(request),
    eventName: draft.eventName,
    eventSource: 'ecr.amazonaws.com',
    caller: draft.caller,
    registry: draft.registry,
    sourceIp,
    userAgent: request.headers['user-agent'],
    resources: draft.resources,
    requestParameters: draft.requestParameters,
    decision: draft.decision,
    gates: draft.gates,
  };
  audit.record(draft.error === undefined ? entry : { ...entry, error: draft.error });
}

/** How a failure reads in the trail. What a fault of the server's was is for the log, under the request's id. */
export function auditErrorOf(error: unknown): { code: string; message: string } {
  if (error instanceof BodyAbortedError) return { code: 'ABORTED', message: error.message };
  const { code, message } = ociErrorOf(error) ?? { code: 'UNKNOWN', message: 'The server failed' };
  return { code, message };
}

/** What a request names, as ECR's API calls it. Upload ids are left out: they are of no use to a reader. */
export function parametersOf(match: PathMatch, query: URLSearchParams): Record<string, string> {
  const { resource, repositoryName = '', parameter } = match;
  switch (resource) {
    case 'version':
    case 'catalog':
      return {};
    case 'tags':
      return { repositoryName };
    case 'manifest':
      return { repositoryName, [parameter.includes(':') ? 'imageDigest' : 'imageTag']: short(parameter) };
    case 'referrers':
      return { repositoryName, imageDigest: short(parameter) };
    case 'blob':
      return { repositoryName, layerDigest: short(parameter) };
    case 'uploads':
    case 'upload': {
      const layerDigest = query.get('mount') ?? query.get('digest');
      const from = query.get('from');
      return {
        repositoryName,
        ...(layerDigest !== null && { layerDigest: short(layerDigest) }),
        ...(from !== null && { mountFrom: short(from) }),
      };
    }
  }
}

const NOTHING: readonly string[] = [];

function short(text: string): string {
  return text.slice(0, 300);
}
